namespace Puna.Training.Data.Altiplano;

/// <summary>The last number of the reply, in digits or in words, has to be the right one.</summary>
/// <param name="number">The right number.</param>
public sealed class NumberCheck(int number) : IReplyCheck
{
    /// <inheritdoc/>
    public string Expected => $"the number {number}";

    /// <inheritdoc/>
    public bool Accepts(string reply)
    {
        List<string> words = Words.Of(reply);
        for (int i = words.Count - 1; i >= 0; i--)
        {
            if (Words.Number(words[i]) is { } last)
            {
                return last == number;
            }
        }

        return false;
    }
}
