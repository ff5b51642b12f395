using Puna.Models.Vision;
using Puna.Runtime.Filtering;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;
using Puna.Text.Tools;

namespace Puna.Runtime.Chat;

/// <summary>
/// Conversations on an <see cref="Engine"/>: lays out messages and tools in the model's chat format, constrains replies to calls, schemas, expressions or grammars, and reads text and
/// calls from what comes back. Thread-safe; owns neither the engine nor the filter.
/// </summary>
/// <remarks>
/// A constraint on calls (a tool must be called, or a tool is strict) makes the model write them as JSON, whatever its own way is. Where a tool is strict and none must be called, a reply
/// that begins with an opening brace is a call and is masked from there on. Where a response format is given with tools that need not be called, the reply is either.
/// </remarks>
public sealed class ChatEngine
{
    private readonly ReplyPlanner _planner;
    private readonly IReadOnlyList<int> _stopIds;
    private readonly Tokenizer _tokenizer;
    private readonly FilterGate? _filter;
    private readonly ConversationImages _images;

    /// <summary>Prepares for conversations.</summary>
    /// <param name="engine">Generates.</param>
    /// <param name="filter">Judges the last message of a conversation before the model sees it, and replies before the caller does: a reply then comes whole at its end. Null judges nothing.</param>
    /// <exception cref="PunaException">The model has no tokenizer or no chat format.</exception>
    public ChatEngine(Engine engine, IContentFilter? filter = null)
        : this(engine, filter, null)
    {
    }

    internal ChatEngine(Engine engine, IContentFilter? filter, IConstraintCompiler? compiler)
    {
        Engine = engine;
        _images = new ConversationImages(engine);
        _tokenizer = engine.Model.Tokenizer ?? throw new PunaException($"model {engine.Model.Checkpoint.Path}: expected a tokenizer, got none");
        ChatDetection found = engine.Model.Chat!;
        Format = found.Format ?? throw new PunaException($"model {engine.Model.Checkpoint.Path}: expected a chat format, got none: {found.Explanation}");
        _stopIds = [.. Format.StopIds(_tokenizer).Concat(engine.Model.StopIds).Distinct().Order()];
        _filter = filter is null ? null : new FilterGate(filter);
        Constraints = new ReplyConstraints(engine, _stopIds, compiler);
        _planner = new ReplyPlanner(Constraints, _tokenizer, engine.Model.Llama.Config.Vocab, _stopIds);
    }

    /// <summary>The engine.</summary>
    public Engine Engine { get; }

    /// <summary>Where constraints come from; for texts that are no conversations too.</summary>
    public ReplyConstraints Constraints { get; }

    /// <summary>The model's chat format.</summary>
    public ChatFormat Format { get; }

    /// <summary>Whether users' messages may have pictures (<see cref="ChatImage.Data"/>).</summary>
    public bool SeesImages => Engine.Model.Llama.Config.SeesImages;

    /// <summary>As <see cref="StartAsync"/>, for callers that may wait: the thread stays occupied until the request is submitted.</summary>
    /// <param name="request">The conversation.</param>
    /// <param name="cancel">Cancels the replies.</param>
    /// <returns>The replies as they come.</returns>
    public ChatReply Start(ChatRequest request, CancellationToken cancel = default) => StartAsync(request, cancel).GetAwaiter().GetResult();

    /// <summary>
    /// Begins replies: compiles constraints (kept for the next request) and lays the conversation out on the calling thread, asks the filter and decodes pictures in turn with other requests, and submits it.
    /// </summary>
    /// <param name="request">The conversation.</param>
    /// <param name="cancel">Cancels the replies.</param>
    /// <returns>The replies as they come. A prompt that the filter refuses has replies that end at once with <see cref="ChatFinishReason.ContentFilter"/>.</returns>
    /// <exception cref="ContextLengthException">The conversation is longer than the context.</exception>
    /// <exception cref="EngineBusyException">The engine takes no more requests at present, or no more pictures.</exception>
    /// <exception cref="InvalidImageException">A picture cannot be shown to the model.</exception>
    /// <exception cref="PunaException">The request is wrong in another way: the template refuses the messages, a schema cannot be compiled, the filter cannot judge.</exception>
    public async Task<ChatReply> StartAsync(ChatRequest request, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        ReplyPlan plan = _planner.Plan(request, cancel);
        int[] prompt = Format.Encode(Lay(request, out IReadOnlyList<PictureFile> files), _tokenizer);
        if (_filter is not null && files.Count > 0)
        {
            throw new InvalidImageException($"images: expected text alone where a filter judges conversations, since it does not see, got {files.Count}");
        }

        if (_filter is not null && !(await _filter.CheckAsync(FilterGate.Asked(request.Messages), cancel).ConfigureAwait(false)).IsAllowed)
        {
            return ChatReply.Refused(prompt.Length, request.Choices);
        }

        if (files.Count == 0)
        {
            return new ChatReply(Submit(request, plan, prompt, [], cancel), request, plan, _filter);
        }

        // The engine's own bound comes too late: it sees pictures that are decoded.
        long pixels = files.Sum(static file => file.PixelBytes);
        _images.Budget.Take(pixels);
        GenerationHandle handle;
        try
        {
            handle = Submit(request, plan, prompt, await _images.DecodeAsync(files, cancel).ConfigureAwait(false), cancel);
        }
        catch
        {
            _images.Budget.Return(pixels);
            throw;
        }

        _ = handle.Ended.ContinueWith(_ => _images.Budget.Return(pixels), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return new ChatReply(handle, request, plan, _filter);
    }

    /// <summary>How many tokens the prompt of a request has. Pictures count by what their headers say, and are not decoded.</summary>
    /// <param name="request">The conversation.</param>
    /// <exception cref="PunaException">The template refuses the messages, or something is no picture.</exception>
    public int CountTokens(ChatRequest request) => Format.Encode(Lay(request, out _), _tokenizer).Length;

    /// <summary>The prompt of a request as text, control tokens by their names: for display.</summary>
    /// <param name="request">The conversation.</param>
    /// <exception cref="PunaException">The template refuses the messages, or something is no picture.</exception>
    public string Render(ChatRequest request) => Format.Render(Lay(request, out _));

    /// <summary>Bytes of pictures that are being decoded or that requests have.</summary>
    internal long PixelBytes => _images.Budget.Held;

    /// <summary>A tool as a prompt declares it.</summary>
    internal static ChatTool Declare(ToolDefinition tool) => new(tool.Name, tool.Description, tool.Parameters);

    private GenerationHandle Submit(ChatRequest request, ReplyPlan plan, int[] prompt, IReadOnlyList<TiledImage> images, CancellationToken cancel) => Engine.Submit(
        new GenerationRequest
        {
            Prompt = prompt,
            Images = images,
            MaxTokens = request.MaxTokens,
            MinTokens = request.MinTokens,
            Sampling = WithoutCalls(request),
            Choices = request.Choices,
            StopStrings = request.StopStrings,
            StopIds = _stopIds,
            IgnoreStopIds = request.IgnoreStopIds,
            Constraint = plan.Constraint,
            Adapter = request.Adapter,
            Key = request.Key,
            CacheSalt = request.CacheSalt,
        },
        cancel);

    private ChatPrompt Lay(ChatRequest request, out IReadOnlyList<PictureFile> files)
    {
        (IReadOnlyList<ChatMessage> messages, files) = _images.Lay(request.Messages);
        return new ChatPrompt
        {
            Messages = messages,

            // A model that must not call is not told of the tools.
            Tools = request.ToolChoice == ToolChoiceMode.None ? [] : [.. request.Tools.Select(Declare)],
            Variables = request.TemplateVariables,
        };
    }

    // Nor can it begin a call by a token that says so, which no text shows.
    private SamplingOptions WithoutCalls(ChatRequest request)
    {
        if (request.ToolChoice != ToolChoiceMode.None || request.Tools.Count == 0 || _planner.CallTokenIds.Count == 0)
        {
            return request.Sampling;
        }

        var bias = new Dictionary<int, float>(request.Sampling.LogitBias ?? new Dictionary<int, float>());
        foreach (int token in _planner.CallTokenIds)
        {
            bias[token] = float.NegativeInfinity;
        }

        return request.Sampling with { LogitBias = bias };
    }
}
