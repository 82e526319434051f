//! Serves data sets, or compares what it does with what people write by hand.

use std::{collections::BTreeMap, env, error::Error, fs};

use metrics_exporter_prometheus::PrometheusBuilder;
use search_service::{App, DataSet, Limits, Search, compare::compare, demo, router};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sets = match env::args().nth(1).as_deref() {
        Some("compare") => {
            // Virtual time needs a runtime of its own.
            println!("{}", tokio::task::spawn_blocking(|| compare(30, 1)).await?);
            return Ok(());
        }
        Some(path) => serde_json::from_slice::<BTreeMap<String, DataSet>>(&fs::read(path)?)?,
        None => [("demo".to_owned(), demo::data_set(&demo::serve(30).await?))].into(),
    };
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let limits = Limits::default();
    let names = sets.keys().cloned().collect::<Vec<_>>();
    let app = App { sets, search: Search::new(trysail::client(), &limits), limits, metrics };
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&*address).await?;
    println!("listening on http://{}, with the data sets {names:?}", listener.local_addr()?);
    Ok(axum::serve(listener, router(app)).await?)
}
