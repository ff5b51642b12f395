using System.Threading.Channels;
using Puna.Runtime.Sampling;

namespace Puna.Runtime.Serving;

/// <summary>A request that an <see cref="Engine"/> has taken. Disposing cancels what is left of it.</summary>
public sealed class GenerationHandle : IDisposable
{
    private readonly ActiveRequest _request;

    internal GenerationHandle(ActiveRequest request) => _request = request;

    /// <summary>The number of the request, unique in its engine.</summary>
    public long Id => _request.Id;

    /// <summary>The tokens as they come, those of several choices mixed; ends when every choice has ended. Read once.</summary>
    /// <remarks>Reading throws <see cref="EngineTimeoutException"/>, <see cref="Tensors.PunaException"/> where the request failed, and <see cref="OperationCanceledException"/> where it was cancelled.</remarks>
    public ChannelReader<TokenEvent> Events => _request.Events.Reader;

    /// <summary>Log-probabilities of the prompt's tokens from the second on, where they were asked for; complete, and to be read, once <see cref="Events"/> has given its first.</summary>
    public IReadOnlyList<TokenLogProbs> PromptLogProbs => _request.PromptLogProbs;

    /// <summary>What the request took so far.</summary>
    public GenerationUsage Usage => _request.Usage();

    /// <summary>Done when the engine has let go of the request.</summary>
    internal Task Ended => _request.Ended;

    /// <summary>Ends the request at the next step. Harmless where it has ended.</summary>
    public void Cancel() => _request.Cancel();

    /// <summary>As <see cref="Cancel"/>.</summary>
    public void Dispose() => Cancel();
}
