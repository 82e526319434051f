//! Somebody's client of an embedding server: three attempts, a second for each, and a look at what came.

use std::{error::Error, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;

/// The client.
#[derive(Clone, Debug)]
pub struct Embedder {
    http: reqwest::Client,
    url: String,
}

impl Embedder {
    /// For the server at `base_url`, as OpenAI's clients take it.
    ///
    /// # Errors
    ///
    /// If there is no HTTP client to be had.
    pub fn new(base_url: &str) -> Result<Self, Box<dyn Error>> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1)).build()?;
        Ok(Self { http, url: format!("{base_url}/embeddings") })
    }

    /// The vector of one text.
    ///
    /// # Errors
    ///
    /// What went wrong with the last attempt.
    pub async fn embed(&self, text: &str) -> Result<Vec<f64>, Box<dyn Error>> {
        let mut attempt = 1;
        loop {
            match self.attempt(text).await {
                Err(Failed::ForNow(_)) if attempt < 3 => sleep(Duration::from_millis(2 << attempt)).await,
                Err(Failed::ForNow(error) | Failed::ForGood(error)) => return Err(error),
                Ok(vector) => return Ok(vector),
            }
            attempt += 1;
        }
    }

    async fn attempt(&self, text: &str) -> Result<Vec<f64>, Failed> {
        let body = json!({ "model": "potion-base-2M", "input": text });
        let answer = self.http.post(&self.url).json(&body).send().await.map_err(Failed::now)?;
        match answer.status() {
            StatusCode::OK => {}
            status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) => {
                return Err(Failed::now(status.as_str()));
            }
            status if status.is_server_error() => return Err(Failed::now(status.as_str())),
            status => return Err(Failed::ForGood(status.as_str().into())),
        }
        let answer: Value = answer.json().await.map_err(Failed::now)?;
        let vector = answer["data"][0]["embedding"].as_array().into_iter().flatten().map(Value::as_f64);
        let vector: Option<Vec<_>> = vector.collect();
        vector.filter(|vector| !vector.is_empty()).ok_or(Failed::now("an answer without a vector"))
    }
}

/// Whether it is worth another attempt.
enum Failed {
    ForNow(Box<dyn Error>),
    ForGood(Box<dyn Error>),
}

impl Failed {
    fn now(error: impl Into<Box<dyn Error>>) -> Self {
        Self::ForNow(error.into())
    }
}
