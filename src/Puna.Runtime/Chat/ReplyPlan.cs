using Puna.Runtime.Constraints;
using Puna.Text.Tools;

namespace Puna.Runtime.Chat;

/// <summary>How a reply is constrained, and how it is read.</summary>
/// <param name="Constraint">What its text has to look like, or null.</param>
/// <param name="Tools">Tools that may be called; null means the reply is text, whatever it looks like.</param>
/// <param name="Formats">How calls may be written.</param>
/// <param name="IsParallel">Whether there may be several.</param>
internal sealed record ReplyPlan(ITokenConstraint? Constraint, IReadOnlyList<ToolSignature>? Tools, ToolFormats Formats, bool IsParallel)
{
    /// <summary>Tokens that end a reply.</summary>
    public IReadOnlyList<int> StopIds { get; init; } = [];

    /// <summary>Tokens that begin code.</summary>
    public IReadOnlyList<int> CodeStarts { get; init; } = [];

    /// <summary>The token that ends code, or null.</summary>
    public int? CodeEnd { get; init; }

    /// <summary>Whether a token begins code.</summary>
    public bool IsCodeStart(int token)
    {
        foreach (int start in CodeStarts)
        {
            if (start == token)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a token ends code.</summary>
    public bool IsCodeEnd(int token) => token == CodeEnd;
}
