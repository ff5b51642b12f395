using System.Text.Json;
using Puna.Tensors;

namespace Puna.Formats.Safetensors;

/// <summary>The index of a checkpoint in several safetensors files, <c>model.safetensors.index.json</c> (spec llama1-3.md 3.2): which file holds which
/// tensor.</summary>
public sealed class SafetensorsIndex
{
    private SafetensorsIndex(IReadOnlyDictionary<string, string> weightMap) => WeightMap = weightMap;

    /// <summary>Tensor names to names of files in the folder of the index; plain names, never paths.</summary>
    public IReadOnlyDictionary<string, string> WeightMap { get; }

    /// <summary>Reads an index.</summary>
    /// <param name="json">The bytes of the file.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <exception cref="FileFormatException">No JSON, no <c>weight_map</c>, a name twice, or a file name that leaves the folder.</exception>
    public static SafetensorsIndex Parse(ReadOnlySpan<byte> json, string path)
    {
        int mark = json.StartsWith("\uFEFF"u8) ? 3 : 0; // some editors put a byte order mark first
        var reader = new StrictJson(json[mark..], path, "safetensors index", mark);
        Dictionary<string, string>? map = null;
        reader.Expect(JsonTokenType.StartObject, "safetensors index");
        while (reader.NextProperty(out string name))
        {
            if (name != "weight_map")
            {
                reader.Skip();
                continue;
            }

            if (map is not null)
            {
                throw reader.Wrong("safetensors index: expected one weight_map, got two");
            }

            map = ReadMap(ref reader);
        }

        reader.End();
        return new SafetensorsIndex(map ?? throw new FileFormatException(path, "safetensors index: expected a weight_map, got none"));
    }

    private static Dictionary<string, string> ReadMap(ref StrictJson reader)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        reader.Expect(JsonTokenType.StartObject, "weight_map");
        while (reader.NextProperty(out string tensor))
        {
            string file = reader.String($"weight_map {tensor}");
            if (!IsPlainName(file))
            {
                throw reader.Wrong($"weight_map {tensor}: expected the name of a file beside the index, got {file}");
            }

            if (!map.TryAdd(tensor, file))
            {
                throw reader.Wrong($"weight_map {tensor}: expected a name that occurs once");
            }
        }

        return map;
    }

    /// <summary>No path, no drive, no alternate stream, on any operating system: an index must not make other files readable.</summary>
    private static bool IsPlainName(string file) =>
        file.Length is > 0 and <= 255 && file is not ("." or "..") && file.AsSpan().IndexOfAny("/\\:") < 0 && !file.AsSpan().ContainsAnyInRange('\0', '\x1F');
}
