//! Three lines to a first vector.

use std::{env, error::Error};

use trysail_testkit::{EmbeddingServer, server::MODEL};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Stands for a server of yours.
    let server = EmbeddingServer::new().bind().await?;
    let args = env::args().skip(1).collect::<Vec<_>>();
    let url = args.first().cloned().unwrap_or_else(|| server.url());
    let model = args.get(1).map_or(MODEL, String::as_str);

    let embed = trysail::embeddings(&url)?.model(model);
    let answer = embed.embed(["a fair wind", "a storm at sea"]).await?;
    println!("{:.4?}", answer.vectors().next().unwrap_or_default());
    Ok(())
}
