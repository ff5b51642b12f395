namespace Puna.Text.Tools;

/// <summary>A tool as a prompt declares it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it does, or null.</param>
/// <param name="Parameters">JSON schema of its arguments, a JSON object; null where it takes none.</param>
public sealed record ChatTool(string Name, string? Description, string? Parameters)
{
    /// <summary>What a parser of replies needs to know of it: the properties of the schema are the parameters, in the order of their declaration.</summary>
    /// <exception cref="Puna.Tensors.PunaException"><see cref="Parameters"/> is no JSON object.</exception>
    public ToolSignature Signature() => ToolJson.Signature(this);
}
