namespace Puna.Text.Tools;

/// <summary>What a parser found in a reply.</summary>
public abstract record ToolEvent
{
    private ToolEvent()
    {
    }

    /// <summary>Text to show.</summary>
    /// <param name="Value">Not empty.</param>
    public sealed record Text(string Value) : ToolEvent;

    /// <summary>A call of a tool begins.</summary>
    /// <param name="Index">Counts the calls of the reply from 0.</param>
    /// <param name="Id">Identifies it (<see cref="ToolCall.NewId"/>).</param>
    /// <param name="Name">The tool.</param>
    public sealed record CallStart(int Index, string Id, string Name) : ToolEvent;

    /// <summary>More of a call's arguments. All pieces together are a JSON object without white space between its parts, unless the reply breaks off or goes astray.</summary>
    /// <param name="Index">Which call.</param>
    /// <param name="Delta">Not empty.</param>
    public sealed record Arguments(int Index, string Delta) : ToolEvent;
}
