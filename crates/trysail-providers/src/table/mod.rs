//! What is known of the servers, a file a family.

mod alb;
mod anthropic;
mod azure;
mod bedrock;
mod china;
mod cloudflare;
mod cohere;
mod compatible;
mod envoy;
mod fireworks;
mod flight;
mod generic;
mod google;
mod huggingface;
mod jina;
mod litellm;
mod llamacpp;
mod mistral;
mod money;
mod nginx;
mod nvidia;
mod ollama;
mod openai;
mod openrouter;
#[cfg(test)]
mod page;
mod phrases;
mod tei;
mod together;
mod vllm;
mod voyage;
mod windows;

use trysail_core::{Remedy, Verdict};

use crate::{Provider, row::Row};

/// The tables that may speak for `only`, or all of them; the most particular first.
pub(super) fn rows(only: Option<Provider>) -> impl Iterator<Item = &'static Row> {
    ranked(only).map(|(_, row)| row)
}

/// The same, and whose each row is.
pub(super) fn ranked(only: Option<Provider>) -> impl Iterator<Item = (Rank, &'static Row)> {
    let named = FAMILIES.iter().filter(move |(provider, _)| only.is_none_or(|only| only == *provider));
    let own = named.flat_map(|(_, rows)| rows.iter().map(|row| (Rank::Own, row)));
    own.chain(COMMON.iter().flat_map(|(_, rows)| rows.iter().map(|row| (Rank::Common, row))))
}

/// Whose language a row is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// That of one family.
    Own,
    /// Everybody's.
    Common,
}

type Rows = &'static [Row];

const FAMILIES: &[(Provider, Rows)] = &[
    (Provider::China, china::ROWS),
    (Provider::Azure, azure::ROWS),
    (Provider::Google, google::ROWS),
    (Provider::Bedrock, bedrock::ROWS),
    (Provider::Tei, tei::ROWS),
    (Provider::Ollama, ollama::ROWS),
    (Provider::LlamaCpp, llamacpp::ROWS),
    (Provider::Vllm, vllm::ROWS),
    (Provider::Cohere, cohere::ROWS),
    (Provider::Voyage, voyage::ROWS),
    (Provider::Mistral, mistral::ROWS),
    (Provider::Jina, jina::ROWS),
    (Provider::HuggingFace, huggingface::ROWS),
    (Provider::Nvidia, nvidia::ROWS),
    (Provider::Together, together::ROWS),
    (Provider::Fireworks, fireworks::ROWS),
    (Provider::Anthropic, anthropic::ROWS),
    (Provider::OpenRouter, openrouter::ROWS),
    (Provider::Compatible, compatible::ROWS),
    (Provider::LiteLlm, litellm::ROWS),
];

/// What speaks for all: the language most have learnt, what may stand before any of them, what is the same everywhere.
const COMMON: &[(&str, Rows)] = &[
    ("OpenAI and compatibles", openai::ROWS),
    ("Cloudflare", cloudflare::ROWS),
    ("Envoy", envoy::ROWS),
    ("AWS load balancers and gateways", alb::ROWS),
    ("nginx, Kong", nginx::ROWS),
    ("Codes met anywhere", generic::ROWS),
    // Ahead of money: what runs at once is free again in a moment, and money ahead of all else.
    ("What runs at once", flight::ROWS),
    ("Money", money::ROWS),
    ("Phrases met anywhere", phrases::ROWS),
    ("Periods", windows::ROWS),
];

const TRANSIENT: Verdict = Verdict::TRANSIENT;
const WARMING: Verdict = Verdict::WARMING;
const THROTTLED: Verdict = Verdict::THROTTLED;
const QUOTA: Verdict = Verdict::QUOTA_EXHAUSTED;
const PAY: Verdict = Verdict::QUOTA_EXHAUSTED.advise(Remedy::Pay);
const AUTH: Verdict = Verdict::AUTH;
const REAUTH: Verdict = Verdict::AUTH.advise(Remedy::Reauth);
const PERMANENT: Verdict = Verdict::PERMANENT;
const SPLIT: Verdict = Verdict::PERMANENT.advise(Remedy::Split);
const TRUNCATE: Verdict = Verdict::PERMANENT.advise(Remedy::Truncate);
