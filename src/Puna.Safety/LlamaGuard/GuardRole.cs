namespace Puna.Safety.LlamaGuard;

/// <summary>Who said a message, as Llama Guard's prompt calls them.</summary>
public enum GuardRole
{
    /// <summary>The person.</summary>
    User,

    /// <summary>The model that is guarded.</summary>
    Agent,
}
