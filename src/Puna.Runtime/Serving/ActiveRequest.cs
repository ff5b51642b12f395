using System.Threading.Channels;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;

namespace Puna.Runtime.Serving;

/// <summary>A request from the moment an engine takes it. What is not said to be for any thread belongs to the engine's.</summary>
internal sealed class ActiveRequest
{
    private readonly Action _wake;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;
    private volatile bool _isCancelled;

    public ActiveRequest(long id, GenerationRequest request, RequestImages? images, TimeProvider time, Action wake)
    {
        (Id, Request, Images, _time, _wake) = (id, request, images, time, wake);
        Arrived = time.GetTimestamp();
        PrefixSalt = request.Adapter is { } adapter ? $"{adapter.Id}\n{request.CacheSalt}" : request.CacheSalt;
        StopIds = request.StopIds is null ? null : [.. request.StopIds];
    }

    /// <summary>Its number.</summary>
    public long Id { get; }

    /// <summary>What was asked for.</summary>
    public GenerationRequest Request { get; }

    /// <summary>Its pictures, or null.</summary>
    public RequestImages? Images { get; }

    /// <summary>Whether it is taken up and its pictures are being encoded.</summary>
    public bool IsEncoding { get; set; }

    /// <summary>What sets cached prompts apart: those of another tenant, and those that another adapter computed.</summary>
    public string PrefixSalt { get; }

    /// <summary>Tokens that end a text, or null for those of the model.</summary>
    public int[]? StopIds { get; }

    /// <summary>Where tokens go; written by the engine's thread, ended by any.</summary>
    public Channel<TokenEvent> Events { get; } = Channel.CreateUnbounded<TokenEvent>(new UnboundedChannelOptions());

    /// <summary>Done when the engine has let go of it, whoever still reads its tokens; any thread.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Whether somebody has cancelled it; any thread.</summary>
    public bool IsCancelled => _isCancelled;

    /// <summary>Its texts; made when it is taken up.</summary>
    public ActiveSequence[] Sequences { get; set; } = [];

    /// <summary>Log-probabilities of the prompt's tokens from the second on, as far as they are computed; whole before the first event.</summary>
    public List<TokenLogProbs> PromptLogProbs { get; } = [];

    /// <summary>Whether log-probabilities of the prompt are still to be computed.</summary>
    public bool NeedsPromptLogProbs => Request.PromptLogProbs is not null && PromptLogProbs.Count < Request.Prompt.Count - 1;

    /// <summary>Whether the prompt is computed and the other choices go their own ways.</summary>
    public bool IsForked { get; set; }

    /// <summary>When it came, as a timestamp.</summary>
    public long Arrived { get; }

    /// <summary>When it was first taken up; 0 before.</summary>
    public long Admitted { get; set; }

    /// <summary>When its first token came; 0 before.</summary>
    public long FirstToken { get; set; }

    /// <summary>When its latest token came; 0 before.</summary>
    public long LastToken { get; set; }

    /// <summary>Tokens of the prompt that were not computed, the first time.</summary>
    public int CachedTokens { get; set; }

    /// <summary>Tokens generated.</summary>
    public int GeneratedTokens { get; set; }

    /// <summary>Tokens guessed ahead.</summary>
    public int GuessedTokens { get; set; }

    /// <summary>Guesses that were right.</summary>
    public int AcceptedTokens { get; set; }

    /// <summary>How often it was set back.</summary>
    public int Preemptions { get; set; }

    /// <summary>Order in which it was last taken up.</summary>
    public long Turn { get; set; }

    /// <summary>Whether all its texts have ended.</summary>
    public bool IsDone => Sequences.Length > 0 && Array.TrueForAll(Sequences, static s => s.IsDone);

    /// <summary>Cancels when a token says so.</summary>
    public void CancelWith(CancellationToken cancel) => _registration = cancel.UnsafeRegister(static state => ((ActiveRequest)state!).Cancel(), this);

    /// <summary>Asks for its end; any thread.</summary>
    public void Cancel()
    {
        if (!_isCancelled)
        {
            _isCancelled = true;
            _wake();
        }
    }

    /// <summary>Tells who waits for it that it has failed, while the engine's thread does not come round to it; any thread. The thread does the rest as for one that was cancelled.</summary>
    public void Abandon(Exception error)
    {
        Events.Writer.TryComplete(error);
        Cancel();
    }

    /// <summary>Makes its texts.</summary>
    public void Begin(LanguageModel model, SamplerScratch scratch)
    {
        var sequences = new ActiveSequence[Request.Choices];

        // Choices without a seed are to differ from other requests, not from each other's seed: the choice's number sets them apart.
        SamplingOptions sampling = Request.Sampling.Seed is null ? Request.Sampling with { Seed = Random.Shared.NextInt64() } : Request.Sampling;
        for (int i = 0; i < sequences.Length; i++)
        {
            sequences[i] = new ActiveSequence(this, i, model, sampling, scratch);
        }

        Sequences = sequences;
    }

    /// <summary>Ends it.</summary>
    /// <param name="error">Why it failed, or null where it is complete.</param>
    public void Complete(Exception? error = null)
    {
        _registration.Dispose();
        foreach (ActiveSequence sequence in Sequences)
        {
            sequence.Release();
        }

        Events.Writer.TryComplete(error);
        _ended.TrySetResult();
    }

    /// <summary>What it took so far; any thread.</summary>
    public GenerationUsage Usage()
    {
        long admitted = Admitted, first = FirstToken, last = LastToken;
        return new GenerationUsage(
            Request.Prompt.Count, CachedTokens, GeneratedTokens, GuessedTokens, AcceptedTokens, Preemptions, Between(Arrived, admitted), Between(admitted, first), Between(first, last));
    }

    private TimeSpan Between(long from, long to) => from == 0 || to == 0 ? TimeSpan.Zero : _time.GetElapsedTime(from, to);
}
