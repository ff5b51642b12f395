using System.Text;

namespace Puna.Server.Http;

/// <summary>A piece of a reply: text, or a call.</summary>
/// <param name="call">Id and name of the call, or null.</param>
internal sealed class CollectedPart((string Id, string Name)? call)
{
    private readonly StringBuilder _text = new();

    /// <summary>Id and name of a call, or null where it is text.</summary>
    public (string Id, string Name)? Call => call;

    /// <summary>The text, or the arguments of the call.</summary>
    public string Text => _text.ToString();

    /// <summary>Takes more of it.</summary>
    public void Add(string more) => _text.Append(more);
}
