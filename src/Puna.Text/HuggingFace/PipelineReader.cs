using System.Text;
using Puna.Tensors;
using Puna.Text.SentencePieces;
using Puna.Text.Splitting;
using Puna.Text.Splitting.Patterns;

namespace Puna.Text.HuggingFace;

/// <summary>Reads the sections of a <c>tokenizer.json</c> that say what happens to the text before merging. What is not understood is refused by name.</summary>
internal static class PipelineReader
{
    /// <summary>The normaliser as steps.</summary>
    public static List<NormalizerStep> Normalizer(JsonSection json)
    {
        var steps = new List<NormalizerStep>();
        AddNormalizer(json, steps);
        return steps;
    }

    /// <summary>The added tokens.</summary>
    public static List<AddedToken> AddedTokens(JsonSection json)
    {
        var tokens = new List<AddedToken>();
        foreach (JsonSection item in json.Items())
        {
            tokens.Add(new AddedToken(
                item.Integer("id") ?? throw item.Error("an id", "none"),
                item.Text("content") is { Length: > 0 } content ? content : throw item.Error("a content", "none"),
                item.Flag("special", false),
                item.Flag("single_word", false),
                item.Flag("lstrip", false),
                item.Flag("rstrip", false),
                item.Flag("normalized", true)));
        }

        return tokens;
    }

    /// <summary>The pre-tokenizer.</summary>
    public static PreTokenizer PreTokenizer(JsonSection json)
    {
        var result = new PreTokenizer();
        AddPreTokenizer(json, result);
        return result;
    }

    private static void AddNormalizer(JsonSection json, List<NormalizerStep> steps)
    {
        if (json.IsNull)
        {
            return;
        }

        switch (json.Type)
        {
            case "Sequence":
                foreach (JsonSection item in json["normalizers"].Items())
                {
                    AddNormalizer(item, steps);
                }

                break;
            case "Prepend":
                steps.Add(new NormalizerStep.Prepend(Encoding.UTF8.GetBytes(json.Text("prepend") ?? throw json.Error("prepend", "none"))));
                break;
            case "Replace":
                (SplitPattern pattern, string? literal) = Pattern(json);
                steps.Add(new NormalizerStep.Replace(pattern, literal, Encoding.UTF8.GetBytes(json.Text("content") ?? throw json.Error("content", "none"))));
                break;
            case "Strip":
                steps.Add(new NormalizerStep.Strip(json.Flag("strip_left", true), json.Flag("strip_right", true)));
                break;
            case "Precompiled":
                if (json.Text("precompiled_charsmap") is { Length: > 0 } map)
                {
                    steps.Add(new NormalizerStep.Precompiled(Map(json, map)));
                }

                break;
            case "Lowercase":
                steps.Add(new NormalizerStep.Lowercase());
                break;
            case "NFC" or "NFD" or "NFKC" or "NFKD" when NormalizerStep.Form.IsAvailable:
                steps.Add(new NormalizerStep.Form(Enum.Parse<NormalizationForm>("Form" + json.Type[2..])));
                break;
            default:
                throw json.Error("a normalizer of type Sequence, Prepend, Replace, Strip, Precompiled or Lowercase", json.Type);
        }
    }

    private static CharsMap Map(JsonSection json, string base64)
    {
        byte[] bytes = new byte[(base64.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(base64, bytes, out int length)
            ? new CharsMap(bytes.AsSpan(0, length), json.File)
            : throw json["precompiled_charsmap"].Error("base64", "something else");
    }

    private static void AddPreTokenizer(JsonSection json, PreTokenizer result)
    {
        if (json.IsNull)
        {
            return;
        }

        if (result.ByteLevel)
        {
            throw json.Error("ByteLevel to be the last pre-tokenizer", json.Type + " behind it");
        }

        switch (json.Type)
        {
            case "Sequence":
                foreach (JsonSection item in json["pretokenizers"].Items())
                {
                    AddPreTokenizer(item, result);
                }

                break;
            case "Split":
                SplitBehavior behavior = Behavior(json);
                bool invert = json.Flag("invert", false);
                string? known = json["pattern"].Text("Regex");
                result.Steps.Add(known is not null && KnownPatterns.Scanner(known) is PieceScanner scanner && behavior == SplitBehavior.Isolated
                    ? new SplitStep.ByScanner(scanner)
                    : new SplitStep.ByPattern(Pattern(json).Pattern, behavior, invert));
                break;
            case "Digits":
                result.Steps.Add(new SplitStep.Numbers(json.Flag("individual_digits", false)));
                break;
            case "Whitespace":
                result.Steps.Add(new SplitStep.ByPattern(new SplitPattern(@"\w+|[^\w\s]+"), SplitBehavior.Removed, invert: true));
                break;
            case "WhitespaceSplit":
                result.Steps.Add(new SplitStep.ByPattern(new SplitPattern(@"\s"), SplitBehavior.Removed, invert: false));
                break;
            case "Metaspace":
                AddMetaspace(json, result);
                break;
            case "ByteLevel":
                result.ByteLevel = true;
                result.AddPrefixSpace = json.Flag("add_prefix_space", true);
                if (result.AddPrefixSpace && result.Steps.Count > 0)
                {
                    throw json.Error("add_prefix_space only in the first pre-tokenizer", "it behind others");
                }

                if (json.Flag("use_regex", true))
                {
                    result.Steps.Add(new SplitStep.ByScanner(Gpt2Scanner.Instance));
                }

                break;
            default:
                throw json.Error("a pre-tokenizer of type Sequence, Split, Digits, Whitespace, WhitespaceSplit, Metaspace or ByteLevel", json.Type);
        }
    }

    private static void AddMetaspace(JsonSection json, PreTokenizer result)
    {
        if (result.Metaspace is not null || result.Steps.Count > 0)
        {
            throw json.Error("Metaspace to be the first pre-tokenizer", "it behind others");
        }

        result.Metaspace = Metaspace(json);
        if (json.Flag("split", true))
        {
            result.Steps.Add(new SplitStep.ByPattern(SplitPattern.Literal(Encoding.UTF8.GetString(result.Metaspace.Mark)), SplitBehavior.MergedWithNext, invert: false));
        }
    }

    /// <summary>Reads the members that the pre-tokenizer and the decoder <c>Metaspace</c> share, in their old and new form.</summary>
    public static Metaspace Metaspace(JsonSection json)
    {
        string mark = json.Text("replacement") ?? "▁";
        PrependScheme scheme = json.Text("prepend_scheme") switch
        {
            null => json.Flag("add_prefix_space", true) ? PrependScheme.Always : PrependScheme.Never,
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            string other => throw json["prepend_scheme"].Error("always, first or never", other),
        };
        return mark.EnumerateRunes().Count() == 1 ? new Metaspace(Encoding.UTF8.GetBytes(mark), scheme) : throw json["replacement"].Error("one character", mark);
    }

    /// <summary>Reads <c>pattern</c>: a text as it is, or a regular expression.</summary>
    public static (SplitPattern Pattern, string? Literal) Pattern(JsonSection json)
    {
        JsonSection pattern = json["pattern"];
        try
        {
            if (pattern.Text("String") is { Length: > 0 } text)
            {
                return (SplitPattern.Literal(text), text);
            }

            return pattern.Text("Regex") is string regex ? (new SplitPattern(regex), null) : throw pattern.Error("a String or a Regex", "none");
        }
        catch (PunaException error) when (error is not FileFormatException)
        {
            throw new FileFormatException(json.File, $"{pattern.Name}: {error.Message}", inner: error);
        }
    }

    private static SplitBehavior Behavior(JsonSection json) => json.Text("behavior") switch
    {
        "Isolated" => SplitBehavior.Isolated,
        "Removed" => SplitBehavior.Removed,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        "Contiguous" => SplitBehavior.Contiguous,
        string other => throw json["behavior"].Error("Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous", other),
        null => throw json["behavior"].Error("a behaviour", "none"),
    };
}
