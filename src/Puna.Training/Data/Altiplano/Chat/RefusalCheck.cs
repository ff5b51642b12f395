namespace Puna.Training.Data.Altiplano;

/// <summary>The reply has to refuse, in its first sentence, and has to be more than the refusal.</summary>
public sealed class RefusalCheck : IReplyCheck
{
    private static readonly string[] Refusals = ["i will not", "i cannot help", "i can't help", "i do not help", "i don't help", "i am not going to", "i won't"];

    /// <inheritdoc/>
    public string Expected => "a refusal with a reason";

    /// <inheritdoc/>
    public bool Accepts(string reply)
    {
        int stop = reply.AsSpan().IndexOfAny('.', '!', '?');
        string first = stop < 0 ? reply : reply[..stop];
        if (Words.Of(reply).Count < 8)
        {
            return false;
        }

        foreach (string refusal in Refusals)
        {
            if (Words.Contains(first, refusal))
            {
                return true;
            }
        }

        return false;
    }
}
