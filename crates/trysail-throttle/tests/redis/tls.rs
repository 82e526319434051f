//! A Redis behind TLS.

use std::{env, fs, net::TcpListener, path::PathBuf, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::time::{sleep, timeout};

use crate::{
    replica::{Job, Line},
    server::Server,
};

/// Files that are gone with this.
struct Files(PathBuf);

impl Files {
    fn write(&self, name: &str, kind: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        let text = format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(bytes));
        fs::write(&path, text).expect("there is room");
        path.to_str().expect("a name").to_owned()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_pace_is_shared_through_tls_with_who_is_trusted_and_nobody_else() {
    let files = Files(env::temp_dir().join(format!("trysail-tls-{}", std::process::id())));
    fs::create_dir_all(&files.0).expect("there is room");
    let made = || generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let CertifiedKey { cert, signing_key } = made();
    let (certificate, key) = (
        files.write("server.crt", "CERTIFICATE", cert.der()),
        files.write("server.key", "PRIVATE KEY", signing_key.serialized_der()),
    );
    let other = files.write("other.crt", "CERTIFICATE", made().cert.der());
    let port = TcpListener::bind("127.0.0.1:0").and_then(|of| of.local_addr()).expect("a free port").port();
    let tls = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-auth-clients", "no"];
    let tls_port = port.to_string();
    let args = [&["--tls-port", &tls_port, "--tls-ca-cert-file", &certificate][..], &tls].concat();
    let Some(server) = Server::start(&args).await else { return };

    let visits = || -> String { redis::cmd("INFO").arg("commandstats").query(&mut server.look()).expect("it is up") };
    let url = format!("rediss://localhost:{port}");
    for (roots, is_trusted) in [(other, false), (certificate, true)] {
        let job = Job { url: url.clone(), rate: 50, burst: 5, callers: 5, roots: Some(roots.into()) };
        let replica = job.start(Duration::from_millis(10));
        let calls = async {
            let mut sent = 0;
            while sent < 60 {
                sleep(Duration::from_millis(50)).await;
                let lines = replica.lines();
                assert!(!lines.contains(&Line::Failed), "no call fails");
                sent += lines.len();
            }
        };
        timeout(Duration::from_secs(30), calls).await.expect("calls go on");
        assert_eq!(visits().contains("cmdstat_evalsha"), is_trusted);
    }
}
