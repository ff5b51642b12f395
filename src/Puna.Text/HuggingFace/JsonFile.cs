using System.Text.Json;
using Puna.Tensors;

namespace Puna.Text.HuggingFace;

/// <summary>A small JSON file in a model's folder; absent files have a null root.</summary>
internal sealed class JsonFile : IDisposable
{
    private readonly JsonDocument? _document;

    /// <summary>Reads a file if it is there.</summary>
    /// <exception cref="FileFormatException">It is no JSON object.</exception>
    public JsonFile(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path))
        {
            Root = new JsonSection(default, name, path);
            return;
        }

        byte[] content = TokenizerLoader.ReadFile(path);
        try
        {
            _document = JsonDocument.Parse(content.AsMemory(content.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0));
        }
        catch (JsonException error)
        {
            throw new FileFormatException(path, $"JSON: {error.Message}", inner: error);
        }

        Root = new JsonSection(_document.RootElement, name, path);
        if (_document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw Root.Error("an object", _document.RootElement.ValueKind.ToString());
        }
    }

    /// <summary>The content.</summary>
    public JsonSection Root { get; }

    /// <inheritdoc/>
    public void Dispose() => _document?.Dispose();
}
