namespace Puna.Cli.Generation;

/// <summary>The commands inside a chat.</summary>
internal static class ChatCommands
{
    /// <summary>What they are, for the help pages.</summary>
    public const string Help =
        "Lines that start with a slash are commands: /help shows them, /reset forgets the conversation, /system TEXT sets the system message (without TEXT it is "
        + "removed), /exit ends the chat. A message that starts with a slash is typed with two.";

    /// <summary>Splits a line into a command and what follows it.</summary>
    /// <returns>Whether the line is a command; otherwise <paramref name="rest"/> is the message.</returns>
    public static bool TryRead(string line, out string command, out string rest)
    {
        command = "";
        if (!line.StartsWith('/') || line.StartsWith("//", StringComparison.Ordinal))
        {
            rest = line.StartsWith('/') ? line[1..] : line;
            return false;
        }

        int space = line.IndexOf(' ', StringComparison.Ordinal);
        command = space < 0 ? line : line[..space];
        rest = space < 0 ? "" : line[(space + 1)..].Trim();
        return true;
    }
}
