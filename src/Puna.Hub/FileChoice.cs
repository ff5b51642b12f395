using System.Globalization;
using System.Text.RegularExpressions;

namespace Puna.Hub;

/// <summary>
/// Decides which files of a repository a name means. In the repository's own folder, or in the folder that was named: safetensors with the configuration and
/// tokenizer files beside them, chat templates in their folder among these; else the one GGUF model; else Meta's <c>consolidated.*.pth</c>. Other folders, such as <c>original/</c>, are left alone.
/// </summary>
internal static partial class FileChoice
{
    private const string IndexSuffix = ".index.json";
    private const string Templates = "additional_chat_templates"; // chat templates with names, in a folder beside chat_template.jinja
    private const int MostNamed = 20;

    private static readonly HashSet<string> Companions = new(StringComparer.OrdinalIgnoreCase)
    {
        "added_tokens.json", "special_tokens_map.json", "vocab.json", "merges.txt", "chat_template.json", "chat_template.jinja",
    };

    /// <summary>Chooses.</summary>
    /// <exception cref="HubException">There is no such file, no model, several models, or a part of one is missing.</exception>
    public static ChosenFiles Choose(HubListing listing, ModelReference reference)
    {
        ChosenFiles chosen = Find(listing, reference);
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (HubFile file in chosen.Files)
        {
            if (SafePath.Problem(file.Path) is { } problem)
            {
                throw new HubException(HubErrorKind.BadAnswer, $"model {reference.Id}: expected a file name usable everywhere, got '{file.Path}': {problem}");
            }

            if (!names.Add(file.Path))
            {
                throw new HubException(HubErrorKind.BadAnswer, $"model {reference.Id}: expected file names that differ in more than case, got '{file.Path}' twice");
            }
        }

        return chosen;
    }

    private static ChosenFiles Find(HubListing listing, ModelReference reference)
    {
        if (reference.File is not { } wanted) return Folder(listing, reference, "");
        foreach (HubFile file in listing.Files)
        {
            if (file.Path == wanted) return Named(listing, reference, file);
        }

        foreach (HubFile file in listing.Files)
        {
            if (file.Path.StartsWith(wanted + "/", StringComparison.Ordinal)) return Folder(listing, reference, wanted);
        }

        throw new HubException(HubErrorKind.NotFound, $"model {reference.Id}: expected a file or folder '{wanted}', got none ({Has(listing.Files)})");
    }

    private static ChosenFiles Named(HubListing listing, ModelReference reference, HubFile file)
    {
        string folder = FolderOf(file.Path), name = NameOf(file.Path);
        if (IsConsolidated(name)) return Meta(listing, reference, folder);
        if (Ends(file, ".gguf")) return Gguf(listing, reference, file);
        bool index = name.EndsWith(".safetensors" + IndexSuffix, StringComparison.OrdinalIgnoreCase);
        if (!index && !Ends(file, ".safetensors")) return new ChosenFiles([file], file.Path);

        var files = Beside(listing, folder);
        string stem = index ? file.Path[..^(".safetensors".Length + IndexSuffix.Length)] : StemOf(file.Path);
        if (stem.Length == 0)
        {
            files.Add(file);
            return new ChosenFiles(files, file.Path);
        }

        AddShards(listing, reference, folder, stem, files);
        return new ChosenFiles(files, folder);
    }

    private static ChosenFiles Folder(HubListing listing, ModelReference reference, string folder)
    {
        List<HubFile> here = listing.Files.Where(file => FolderOf(file.Path) == folder).ToList();
        if (here.Exists(file => Ends(file, ".safetensors"))) return Safetensors(listing, reference, folder, here);

        List<HubFile> ggufs = here.Where(IsGgufModel).ToList();
        if (ggufs.Count == 0)
        {
            // Large quantised models have a folder per type; with a single one in all there is nothing to ask.
            string below = folder.Length == 0 ? "" : folder + "/";
            ggufs = listing.Files.Where(file => IsGgufModel(file) && StartsWith(file, below) && !StartsWith(file, "original/")).ToList();
        }

        // Meta's files beside GGUFs in other folders are the better answer than a question; in the same folder GGUF comes first.
        bool meta = here.Exists(file => IsConsolidated(NameOf(file.Path)));
        if (ggufs.Count > 0 && (!meta || FolderOf(ggufs[0].Path) == folder))
        {
            int models = ggufs.Select(file => StemOf(file.Path) is { Length: > 0 } stem ? stem : file.Path).Distinct(StringComparer.Ordinal).Count();
            if (models == 1) return Gguf(listing, reference, ggufs[0]);
            throw new HubException(
                HubErrorKind.Ambiguous,
                $"model {reference.Id}: expected the name of one of its {models} GGUF models, got none "
                + $"(write {reference.Id}:FILE with one of {Names(FirstParts(ggufs))})");
        }

        if (meta) return Meta(listing, reference, folder);
        string where = folder.Length == 0 ? "" : $" in folder '{folder}'";
        throw new HubException(
            HubErrorKind.NotFound,
            $"model {reference.Id}: expected .safetensors, .gguf or consolidated.*.pth files{where}, got none ({Has(here.Count > 0 ? here : listing.Files)})");
    }

    private static ChosenFiles Safetensors(HubListing listing, ModelReference reference, string folder, List<HubFile> here)
    {
        List<HubFile> files = Beside(listing, folder);
        HubFile? index = here.Find(file => NameOf(file.Path) == "model.safetensors" + IndexSuffix)
            ?? here.Find(file => Ends(file, ".safetensors" + IndexSuffix));
        HubFile? single = here.Find(file => NameOf(file.Path) == "model.safetensors");
        if (single is not null)
        {
            files.Add(single);
        }
        else if (index is not null && AddShards(listing, reference, folder, index.Path[..^(".safetensors".Length + IndexSuffix.Length)], files))
        {
            return new ChosenFiles(files, folder);
        }
        else
        {
            // Shards with names of their own; a second copy of the weights in Mistral's layout is left out.
            List<HubFile> weights = here.Where(file => Ends(file, ".safetensors")).ToList();
            List<HubFile> wanted = weights.Where(file => !NameOf(file.Path).StartsWith("consolidated", StringComparison.OrdinalIgnoreCase)).ToList();
            files.AddRange(wanted.Count > 0 ? wanted : weights);
            if (index is not null && !files.Contains(index)) files.Add(index);
        }

        return new ChosenFiles(files, folder);
    }

    private static ChosenFiles Gguf(HubListing listing, ModelReference reference, HubFile file)
    {
        Match part = Part().Match(file.Path);
        if (!part.Success) return new ChosenFiles([file], file.Path);
        List<HubFile> parts = Split(listing, reference, part);
        return new ChosenFiles(parts, parts[0].Path);
    }

    private static ChosenFiles Meta(HubListing listing, ModelReference reference, string folder)
    {
        List<HubFile> here = listing.Files.Where(file => FolderOf(file.Path) == folder).ToList();
        List<HubFile> files = here.Where(file => IsConsolidated(NameOf(file.Path)) || NameOf(file.Path) is "params.json" or "tokenizer.model").ToList();
        return files.Exists(file => NameOf(file.Path) == "params.json")
            ? new ChosenFiles(files, folder)
            : throw new HubException(HubErrorKind.NotFound, $"model {reference.Id}: expected a params.json beside consolidated.*.pth, got none ({Has(here)})");
    }

    /// <summary>Adds <c>stem-00001-of-0000N.safetensors</c> and the index; false where the repository has none of that form.</summary>
    private static bool AddShards(HubListing listing, ModelReference reference, string folder, string stem, List<HubFile> files)
    {
        Match? first = null;
        foreach (HubFile file in listing.Files)
        {
            if (!Ends(file, ".safetensors") || FolderOf(file.Path) != folder || StemOf(file.Path) != stem) continue;
            first = Part().Match(file.Path);
            break;
        }

        if (first is null) return false;
        files.AddRange(Split(listing, reference, first));
        foreach (HubFile file in listing.Files)
        {
            if (file.Path == stem + ".safetensors" + IndexSuffix && !files.Contains(file)) files.Add(file);
        }

        return true;
    }

    private static List<HubFile> Split(HubListing listing, ModelReference reference, Match part)
    {
        int count = int.Parse(part.Groups["count"].Value, CultureInfo.InvariantCulture);
        string stem = part.Groups["stem"].Value, extension = part.Groups["extension"].Value;
        Dictionary<string, HubFile> byPath = listing.Files.ToDictionary(file => file.Path, StringComparer.Ordinal);
        var parts = new List<HubFile>();
        for (int i = 1; i <= count; i++)
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"{stem}-{i:D5}-of-{count:D5}.{extension}");
            parts.Add(byPath.TryGetValue(path, out HubFile? file)
                ? file
                : throw new HubException(HubErrorKind.NotFound, $"model {reference.Id}: expected {count} parts of {stem}, got no '{path}' in the repository"));
        }

        return count > 0
            ? parts
            : throw new HubException(HubErrorKind.BadAnswer, $"model {reference.Id}: expected a split file of at least 1 part, got '{part.Value}'");
    }

    private static List<HubFile> Beside(HubListing listing, string folder) =>
        listing.Files.Where(file => (FolderOf(file.Path) == folder && IsCompanion(NameOf(file.Path)))
            || (FolderOf(file.Path) == (folder.Length == 0 ? Templates : $"{folder}/{Templates}") && file.Path.EndsWith(".jinja", StringComparison.Ordinal))).ToList();

    // config.json, generation_config.json, tokenizer_config.json, preprocessor_config.json, adapter_config.json; tokenizer.json, tokenizer.model, ...
    private static bool IsCompanion(string name) =>
        name.EndsWith("config.json", StringComparison.OrdinalIgnoreCase) || Companions.Contains(name)
        || (name.StartsWith("tokenizer", StringComparison.OrdinalIgnoreCase)
            && (name.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".model", StringComparison.OrdinalIgnoreCase)));

    private static bool IsConsolidated(string name) =>
        name.StartsWith("consolidated", StringComparison.OrdinalIgnoreCase) && name.EndsWith(".pth", StringComparison.OrdinalIgnoreCase);

    // Projectors and importance matrices are GGUF files but no models.
    private static bool IsGgufModel(HubFile file) =>
        Ends(file, ".gguf") && !NameOf(file.Path).StartsWith("mmproj", StringComparison.OrdinalIgnoreCase)
        && !NameOf(file.Path).Contains("imatrix", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<string> FirstParts(List<HubFile> ggufs) =>
        ggufs.Where(file => Part().Match(file.Path) is not { Success: true } part || part.Groups["index"].Value == "00001").Select(file => file.Path);

    private static string Has(IReadOnlyList<HubFile> files) =>
        files.Count == 0 ? "the repository is empty" : "it has " + Names(files.Select(file => file.Path));

    private static string Names(IEnumerable<string> names)
    {
        List<string> all = names.ToList();
        string text = string.Join(", ", all.Take(MostNamed));
        return all.Count > MostNamed ? string.Create(CultureInfo.InvariantCulture, $"{text} and {all.Count - MostNamed} more") : text;
    }

    /// <summary>The name of a split file without its number; empty where it is not split.</summary>
    private static string StemOf(string path) => Part().Match(path) is { Success: true } part ? part.Groups["stem"].Value : "";

    private static bool StartsWith(HubFile file, string prefix) => file.Path.StartsWith(prefix, StringComparison.Ordinal);

    private static bool Ends(HubFile file, string suffix) => file.Path.EndsWith(suffix, StringComparison.OrdinalIgnoreCase);

    private static string FolderOf(string path) => path.LastIndexOf('/') is > 0 and var slash ? path[..slash] : "";

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    [GeneratedRegex(
        "^(?<stem>.*)-(?<index>[0-9]{5})-of-(?<count>[0-9]{5})\\.(?<extension>gguf|safetensors)$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Part();
}
