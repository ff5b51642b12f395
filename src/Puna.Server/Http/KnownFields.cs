using System.Collections.Frozen;

namespace Puna.Server.Http;

/// <summary>The members that requests may have: those that are read, refused, or left aside because they change no answer. Others are counted.</summary>
internal static class KnownFields
{
    private static readonly string[] Sampling =
    [
        "temperature", "top_p", "top_k", "min_p", "typical_p", "xtc_probability", "xtc_threshold", "dry_multiplier", "dry_base", "dry_allowed_length", "repetition_penalty", "repeat_penalty",
        "frequency_penalty", "presence_penalty", "seed", "logit_bias",
    ];

    private static readonly string[] Common = ["model", "stream", "cache_salt", "prompt_cache_key"];
    private static readonly string[] OpenAI = [.. Common, .. Sampling, "stream_options", "user", "grammar", "guided_regex", "guided_json"];
    private static readonly string[] Tools = ["tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "metadata", "store", "service_tier", "safety_identifier"];

    /// <summary>Of <c>/v1/chat/completions</c>.</summary>
    public static FrozenSet<string> Chat { get; } = Of(
        OpenAI, Tools, "messages", "max_completion_tokens", "max_tokens", "logprobs", "top_logprobs", "n", "stop", "response_format", "reasoning_effort", "verbosity", "modalities", "prediction", "audio",
        "web_search_options", "ignore_eos", "min_tokens", "chat_template_kwargs");

    /// <summary>Of <c>/v1/completions</c>.</summary>
    public static FrozenSet<string> Completion { get; } = Of(OpenAI, [], "prompt", "n", "best_of", "logprobs", "echo", "suffix", "max_tokens", "min_tokens", "stop", "ignore_eos", "response_format");

    /// <summary>Of <c>/v1/responses</c>.</summary>
    public static FrozenSet<string> Response { get; } = Of(
        OpenAI, Tools, "input", "instructions", "max_output_tokens", "text", "previous_response_id", "conversation", "prompt", "background", "include", "reasoning", "truncation", "top_logprobs", "max_tool_calls");

    /// <summary>Of <c>/v1/embeddings</c>.</summary>
    public static FrozenSet<string> Embedding { get; } = Of(["model"], [], "input", "encoding_format", "dimensions", "user");

    /// <summary>Of <c>/v1/rerank</c>.</summary>
    public static FrozenSet<string> Rerank { get; } = Of(["model"], [], "query", "documents", "top_n", "return_documents", "user");

    /// <summary>Of <c>/v1/messages</c>.</summary>
    public static FrozenSet<string> Message { get; } = Of(
        Common, [], "messages", "max_tokens", "system", "stop_sequences", "temperature", "top_p", "top_k", "tools", "tool_choice", "thinking", "metadata", "service_tier", "output_config");

    /// <summary>Of <c>/api/chat</c>.</summary>
    public static FrozenSet<string> OllamaChat { get; } = Of(Common, [], "messages", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "format", "options", "think", "keep_alive", "logprobs", "top_logprobs");

    /// <summary>Of <c>/api/generate</c>.</summary>
    public static FrozenSet<string> OllamaGenerate { get; } = Of(Common, [], "prompt", "suffix", "images", "system", "template", "raw", "context", "format", "options", "think", "keep_alive", "logprobs", "top_logprobs");

    /// <summary>Of <c>/api/embed</c>.</summary>
    public static FrozenSet<string> OllamaEmbed { get; } = Of(["model"], [], "input", "truncate", "dimensions", "options", "keep_alive");

    private static FrozenSet<string> Of(string[] some, string[] more, params string[] own) => FrozenSet.ToFrozenSet([.. some, .. more, .. own], StringComparer.Ordinal);
}
