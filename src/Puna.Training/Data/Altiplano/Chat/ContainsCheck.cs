namespace Puna.Training.Data.Altiplano;

/// <summary>The reply has to contain one of some phrases as whole words, whatever their capitals; numbers count in words and in digits. It may not be long: a reply that lists everything answers nothing.</summary>
/// <param name="phrases">The phrases, of which one is enough.</param>
/// <param name="mostWords">The most words that the reply may have.</param>
public sealed class ContainsCheck(IReadOnlyList<string> phrases, int mostWords = 40) : IReplyCheck
{
    /// <inheritdoc/>
    public string Expected => $"\"{string.Join("\" or \"", phrases)}\" in at most {mostWords} words";

    /// <inheritdoc/>
    public bool Accepts(string reply)
    {
        if (Words.Of(reply).Count > mostWords)
        {
            return false;
        }

        foreach (string phrase in phrases)
        {
            if (Words.Contains(reply, phrase))
            {
                return true;
            }
        }

        return false;
    }
}
