using System.Diagnostics.CodeAnalysis;
using Puna.Tensors;

namespace Puna.Hub;

/// <summary>
/// The name of a model on a hub: <c>owner/name</c>, <c>owner/name:file.gguf</c>, <c>owner/name:folder</c>, each optionally with a revision
/// (a branch, tag or commit), <c>owner/name@revision:file.gguf</c> or <c>owner/name:file.gguf@revision</c>.
/// </summary>
public sealed record ModelReference
{
    private const int LongestName = 96;
    private const int LongestRevision = 200;

    private ModelReference(string owner, string name, string revision, string? file)
    {
        Owner = owner;
        Name = name;
        Revision = revision;
        File = file;
    }

    /// <summary>The revision that is meant when none is given.</summary>
    public const string DefaultRevision = "main";

    /// <summary>The user or organisation.</summary>
    public string Owner { get; }

    /// <summary>The repository's name.</summary>
    public string Name { get; }

    /// <summary>Branch, tag or commit; <see cref="DefaultRevision"/> unless given.</summary>
    public string Revision { get; }

    /// <summary>A file or folder of the repository with <c>/</c> between its parts, or null for "what a model needs".</summary>
    public string? File { get; }

    /// <summary><c>owner/name</c>.</summary>
    public string Id => $"{Owner}/{Name}";

    /// <summary>Whether the revision is a whole commit id, which never comes to mean something else.</summary>
    internal bool IsPinned => Revision.Length == 40 && IsHex(Revision);

    /// <summary>Reads a name strictly: characters outside the hub's alphabet, <c>..</c>, absolute paths and device names are no names.</summary>
    /// <param name="text">The name.</param>
    /// <param name="reference">The parts of the name.</param>
    /// <returns>Whether <paramref name="text"/> is a name. It says nothing about whether such a model exists.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ModelReference? reference)
    {
        reference = null;
        return text is not null && Read(text, out reference) is null && reference is not null;
    }

    /// <summary>Reads a name as <see cref="TryParse"/> does.</summary>
    /// <exception cref="PunaException">It is no name; the message says why.</exception>
    public static ModelReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out ModelReference? reference) is { } problem
            ? throw new PunaException($"model name '{text}': expected owner/name, owner/name:file or owner/name@revision:file, but {problem}")
            : reference!;
    }

    /// <summary>The name in its canonical form, <c>owner/name[@revision][:file]</c>.</summary>
    public override string ToString() => Id + (Revision == DefaultRevision ? "" : "@" + Revision) + (File is null ? "" : ":" + File);

    private static string? Read(string text, out ModelReference? reference)
    {
        reference = null;
        if (text.Length > 1024) return "it is too long";
        int colon = text.IndexOf(':');
        string head = colon < 0 ? text : text[..colon];
        string? file = colon < 0 ? null : text[(colon + 1)..];
        string? revision = null;
        int at = head.IndexOf('@');
        if (at >= 0)
        {
            revision = head[(at + 1)..];
            head = head[..at];
        }
        else if (file is not null && (at = file.LastIndexOf('@')) >= 0)
        {
            revision = file[(at + 1)..];
            file = file[..at];
        }

        int slash = head.IndexOf('/');
        if (slash < 0 || head.IndexOf('/', slash + 1) >= 0) return "it does not have exactly one / between owner and name";
        string owner = head[..slash], name = head[(slash + 1)..];
        if (NameProblem(owner) is { } ownerProblem) return $"the owner {ownerProblem}";
        if (NameProblem(name) is { } nameProblem) return $"the name {nameProblem}";
        if (revision is not null && RevisionProblem(revision) is { } revisionProblem) return $"the revision {revisionProblem}";
        if (file is not null)
        {
            if (file.EndsWith('/') && file.Length > 1) file = file[..^1];
            if (SafePath.Problem(file) is { } fileProblem) return $"its file name is not allowed: {fileProblem}";
        }

        reference = new ModelReference(owner, name, revision ?? DefaultRevision, file);
        return null;
    }

    private static string? NameProblem(string name)
    {
        if (name.Length == 0) return "is empty";
        if (name.Length > LongestName) return $"is longer than {LongestName} characters";
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) return "has a character that is not a letter, a digit, - _ or .";
        }

        bool edges = name[0] is '.' or '-' || name[^1] is '.' or '-';
        if (edges || name.Contains("..", StringComparison.Ordinal)) return "begins or ends with . or -, or has .. in it";
        return SafePath.IsDeviceName(name) ? "is a device name on Windows" : null;
    }

    private static string? RevisionProblem(string revision)
    {
        if (revision.Length == 0) return "is empty";
        if (revision.Length > LongestRevision) return $"is longer than {LongestRevision} characters";
        foreach (char c in revision)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.' or '/' or '+')) return "has a character that is not a letter, a digit, - _ . + or /";
        }

        return revision[0] is '-' || SafePath.Escape(revision) is not null ? "begins with - or /, or has an empty, . or .. part" : null;
    }

    /// <summary>Whether text is lower-case hexadecimal.</summary>
    internal static bool IsHex(string text)
    {
        foreach (char c in text)
        {
            if (c is not ((>= '0' and <= '9') or (>= 'a' and <= 'f'))) return false;
        }

        return text.Length > 0;
    }
}
