using System.Collections;
using System.Globalization;
using Puna.Cli.Hosting;
using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Formats.Meta;
using Puna.Formats.Safetensors;
using Puna.Models;
using Puna.Tensors;

namespace Puna.Cli.Inspection;

/// <summary>Writes an inspection for people.</summary>
internal static class InspectionText
{
    private const int LongestValue = 100;

    /// <summary>Writes it.</summary>
    public static void Write(ModelInspection model, TextWriter output)
    {
        var facts = new TextTable();
        facts.Add("model", model.Path is null ? $"{model.Name} (embedded)" : model.Name);
        facts.Add("format", model.Format);
        if (model.Config is { } config)
        {
            AddConfig(facts, config);
        }
        else
        {
            facts.Add("runs", $"no: {model.Problem}");
        }

        facts.Add("tensors", Text($"{model.File.Tensors.Count}, {model.Values:N0} values, {ByteSize.Format(model.TensorBytes)} ({model.TensorBytes:N0} bytes)"));
        facts.Add("types", string.Join(", ", model.Types.Select(static t => Text($"{t.Count} x {t.Type.Name()} ({ByteSize.Format(t.Bytes)})"))));
        facts.Write(output, "");

        var metadata = new TextTable();
        foreach ((string key, string value) in Metadata(model.File))
        {
            metadata.Add(key, value);
        }

        if (metadata.Count > 0)
        {
            output.WriteLine("\nMetadata");
            metadata.Write(output, "  ");
        }

        var tensors = new TextTable(rightAligned: 3);
        foreach (TensorInfo tensor in model.File.Tensors)
        {
            tensors.Add(tensor.Name, tensor.DType.Name(), tensor.Shape.ToString(), Text($"{tensor.ByteLength:N0}"));
        }

        output.WriteLine("\nTensors (name, type, shape with the outermost size first, bytes)");
        tensors.Write(output, "  ");
    }

    private static void AddConfig(TextTable facts, LlamaConfig config)
    {
        facts.Add("architecture", Text($"{config.Name}: {config.Layers} layers, hidden {config.Hidden}, feed-forward {config.Ffn}"));
        facts.Add("attention", Text($"{config.Heads} heads of {config.HeadDim}, {config.KvHeads} for keys and values{Biases(config)}"));
        facts.Add("context", Text($"{config.ContextLength:N0} tokens"));
        facts.Add("rope", Text($"base {config.RopeTheta}, scaling {(config.RopeScaling is RopeScaling.None ? "none" : config.RopeScaling.Name)}"));
        facts.Add("norm", Text($"epsilon {config.NormEpsilon}"));
        facts.Add("vocabulary", Text($"{config.Vocab:N0} tokens, {(config.Labels > 0 ? Text($"classifier of {config.Labels}") : config.TiedEmbeddings ? "output tied to the embedding" : "own output matrix")}"));
        facts.Add("parameters", Text($"{config.ParameterCount:N0}{(config.Llama4 is null ? "" : Text($", of which a token meets {config.ActiveParameterCount:N0}"))}"));
        if (config.Vision is { } vision)
        {
            facts.Add("vision", Text($"{vision.LocalLayers} and {vision.GlobalLayers} blocks of width {vision.Hidden}, {vision.MaxTiles} tiles of {vision.ImageSize} x {vision.ImageSize} pixels in patches of {vision.PatchSize}; {vision.CrossLayers.Count} more layers look at images"));
        }

        if (config.Llama4 is { } four)
        {
            facts.Add("experts", Text($"{four.Experts} of width {four.ExpertFfn} and a shared one in {four.HasExperts.Count(static x => x)} layers, {four.ExpertsPerToken} per token"));
            facts.Add("layers", Text($"{four.IsLocal.Count(static x => x)} see chunks of {four.ChunkSize:N0} tokens, {four.IsRotary.Count(static x => x)} rotate{(four.QkNorm ? " and norm" : "")} queries and keys{(four.Temperature ? ", the others scale queries by position" : "")}"));
        }
    }

    private static string Biases(LlamaConfig config) =>
        (config.QkvBias ? ", biases on q, k, v" : "") + (config.AttentionOutputBias ? ", bias on the output" : "") + (config.MlpBias ? ", feed-forward biases" : "");

    private static IEnumerable<(string Key, string Value)> Metadata(TensorFile file) => file switch
    {
        GgufFile gguf => gguf.Metadata.Select(static pair => (pair.Key, Value(pair.Value))),
        SafetensorsFile safetensors => safetensors.Metadata.Select(static pair => (pair.Key, Cut(pair.Value))),
        MetaCheckpoint { Params.Raw: { ValueKind: System.Text.Json.JsonValueKind.Object } raw } => raw.EnumerateObject().Select(static p => (p.Name, Cut(p.Value.GetRawText()))),
        _ => [],
    };

    private static string Value(GgufValue value)
    {
        const int Shown = 6;
        if (value.Value is not Array array)
        {
            return Cut(Scalar(value.Value));
        }

        IEnumerable<string> first = ((IEnumerable)array).Cast<object>().Take(Shown).Select(Scalar);
        return Cut(Text($"[{string.Join(", ", first)}{(array.Length > Shown ? Text($", ... {array.Length:N0} of them") : "")}]"));
    }

    private static string Scalar(object value) => value switch
    {
        string text => text,
        bool truth => truth ? "true" : "false",
        GgufValue inner => Value(inner),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Cut(string text) => text.Length <= LongestValue ? text : string.Concat(text.AsSpan(0, LongestValue), "…");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
