/// A family of servers that answer alike.
///
/// As a [`Classifier`](trysail_core::Classifier) it knows this family, the gateways that may stand before it, and what
/// is common to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// OpenAI, and what speaks exactly like it: no more than is common to all.
    OpenAi,
    /// Azure OpenAI, API Management, GitHub Models.
    Azure,
    /// Anthropic.
    Anthropic,
    /// Amazon Bedrock.
    Bedrock,
    /// Cohere.
    Cohere,
    /// DeepSeek, xAI, Groq and other young compatibles.
    Compatible,
    /// Alibaba, Baidu, MiniMax, Moonshot, SiliconFlow, Volcengine, Zhipu.
    China,
    /// Fireworks.
    Fireworks,
    /// Gemini and Vertex AI.
    Google,
    /// The inference API and endpoints of Hugging Face.
    HuggingFace,
    /// Jina.
    Jina,
    /// The LiteLLM proxy.
    LiteLlm,
    /// The server of llama.cpp, and llama-swap.
    LlamaCpp,
    /// Mistral.
    Mistral,
    /// NVIDIA NIM and Triton.
    Nvidia,
    /// Ollama, on one's own machine and in the cloud.
    Ollama,
    /// OpenRouter.
    OpenRouter,
    /// Text Embeddings Inference.
    Tei,
    /// Together.
    Together,
    /// vLLM.
    Vllm,
    /// Voyage.
    Voyage,
    /// Cloudflare: its edge and Workers AI.
    Cloudflare,
}
