namespace Puna.Tensors;

/// <summary>
/// Bad input met somewhere in Puna: a file, a prompt, an option. The message is one line that a user can act on, in the form
/// <c>&lt;what&gt; &lt;name&gt;: expected &lt;x&gt;, got &lt;y&gt; (&lt;where&gt;)</c>. The command line answers it with exit code 2.
/// </summary>
public class PunaException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">One line; line breaks and control characters are replaced by spaces, because names from files end up here.</param>
    /// <param name="inner">The cause, if there is one.</param>
    public PunaException(string message, Exception? inner = null)
        : base(OneLine(message), inner)
    {
    }

    /// <summary>Replaces control characters by spaces and cuts overlong text, so that hostile names cannot break a terminal or a log.</summary>
    public static string OneLine(string text)
    {
        const int Longest = 1000;
        string cut = text.Length > Longest ? string.Concat(text.AsSpan(0, Longest), "…") : text;
        return string.Create(cut.Length, cut, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = char.IsControl(source[i]) || source[i] is '\u2028' or '\u2029' ? ' ' : source[i];
            }
        });
    }
}
