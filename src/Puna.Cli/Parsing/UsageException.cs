using Puna.Tensors;

namespace Puna.Cli.Parsing;

/// <summary>A command line that does not say what it should: exit code 2.</summary>
internal sealed class UsageException : PunaException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">One line.</param>
    public UsageException(string message)
        : base(message)
    {
    }

    /// <summary>Text of the user's in quotes, cut where it is long: it may be a whole prompt.</summary>
    public static string Quote(string text)
    {
        const int Longest = 60;
        if (text.Length <= Longest)
        {
            return $"'{text}'";
        }

        int end = char.IsHighSurrogate(text[Longest - 1]) ? Longest - 1 : Longest;
        return $"'{text[..end]}…'";
    }
}
