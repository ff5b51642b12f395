namespace Puna.Server.Operations;

/// <summary>Whether a server is ending, and how many requests it is answering.</summary>
internal sealed class ServerState
{
    private int _requests;

    /// <summary>Whether it takes no more requests.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Whether the model has answered once.</summary>
    public bool IsReady { get; set; }

    /// <summary>Requests being answered.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>A request comes in.</summary>
    public void Enter() => Interlocked.Increment(ref _requests);

    /// <summary>A request is answered.</summary>
    public void Leave() => Interlocked.Decrement(ref _requests);
}
