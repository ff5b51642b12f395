namespace Puna.Text.Tools;

/// <summary>The tools that may be called, by name.</summary>
internal sealed class ToolCatalog
{
    private readonly Dictionary<string, ToolSignature> _tools = new(StringComparer.Ordinal);

    public ToolCatalog(IEnumerable<ToolSignature> tools)
    {
        foreach (ToolSignature tool in tools)
            _tools[tool.Name] = tool;
    }

    /// <summary>Whether there is a tool of this name.</summary>
    public bool Has(string name) => _tools.ContainsKey(name);

    /// <summary>The tool of this name.</summary>
    public ToolSignature? Find(string name) => _tools.GetValueOrDefault(name);
}
