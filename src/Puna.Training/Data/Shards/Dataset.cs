using System.Globalization;
using Puna.Tensors;
using Puna.Text;
using Puna.Training.Recipes;

namespace Puna.Training.Data;

/// <summary>A folder that the recipe <c>data</c> made: its shards by group, and streams over them.</summary>
public sealed class Dataset : IDisposable
{
    private readonly DataManifest _manifest;
    private readonly List<(ManifestShard Entry, TokenShard Shard)> _shards = [];
    private readonly string _folder;

    private Dataset(string folder, DataManifest manifest)
    {
        _folder = folder;
        _manifest = manifest;
    }

    /// <summary>Names of the groups, in the order of <see cref="Weights"/>.</summary>
    public IReadOnlyList<string> Groups => [.. _manifest.Groups.Select(static g => g.Name)];

    /// <summary>Weights of the groups that the config of the data gave; where it gave none, their tokens.</summary>
    public IReadOnlyList<double> Weights => [.. _manifest.Groups.Select(static g => g.Weight)];

    /// <summary>What <see cref="TokenizerIdentity"/> says of the tokenizer, in hexadecimal digits.</summary>
    public string TokenizerIdentityHex => _manifest.Tokenizer.Identity;

    /// <summary>Opens a folder.</summary>
    /// <exception cref="PunaException">It is not complete, or a shard is not the one that the manifest names.</exception>
    public static Dataset Open(string folder)
    {
        string path = Path.Combine(folder, DataManifest.FileName);
        if (!File.Exists(path))
        {
            throw new PunaException($"data set {folder}: expected a folder with a {DataManifest.FileName}, got none there");
        }

        DataManifest manifest = RecipeConfig.Read(path, DataJson.Default.DataManifest);
        if (manifest.Format != DataManifest.CurrentFormat)
        {
            throw new PunaException($"data set {folder}: expected format {DataManifest.CurrentFormat}, got {manifest.Format}");
        }

        if (manifest.Groups.Contains(null!) || manifest.Shards.Contains(null!))
        {
            throw new PunaException($"data set {folder}: expected no null among groups and shards, got one");
        }

        var set = new Dataset(folder, manifest);
        try
        {
            foreach (ManifestShard entry in manifest.Shards)
            {
                set.Add(entry);
            }

            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>Throws where the ids of this data mean something else to a tokenizer.</summary>
    /// <exception cref="PunaException">They do.</exception>
    public void Require(Tokenizer tokenizer)
    {
        string got = TokenizerIdentity.HexOf(tokenizer);
        if (got != TokenizerIdentityHex)
        {
            throw new PunaException($"data set {_folder}: expected the tokenizer it was made with ({TokenizerIdentityHex[..12]}...), got another ({got[..12]}...)");
        }
    }

    /// <summary>The shards of a group.</summary>
    /// <param name="group">One of <see cref="Groups"/>.</param>
    /// <param name="validation">Those held back instead of those to train on.</param>
    public IReadOnlyList<TokenShard> Shards(string group, bool validation = false)
    {
        string split = validation ? ShardSet.Validation : ShardSet.Train;
        return [.. _shards.Where(s => s.Entry.Group == group && s.Entry.Split == split).Select(static s => s.Shard)];
    }

    /// <summary>Whether documents were held back.</summary>
    public bool HasValidation => _shards.Any(static s => s.Entry.Split == ShardSet.Validation && s.Shard.Documents > 0);

    /// <summary>All shards held back, in the order of the documents: for measuring a loss.</summary>
    /// <exception cref="PunaException">Nothing was held back.</exception>
    public ShardStream Validation() => new([.. _shards.Where(static s => s.Entry.Split == ShardSet.Validation).Select(static s => s.Shard)], 0, shuffle: false);

    /// <summary>The documents to train on, groups in their shares.</summary>
    /// <param name="seed">Decides the order.</param>
    /// <param name="phases">Weights over time, in the order of <see cref="Groups"/>; <see cref="Weights"/> all the time where absent.</param>
    /// <exception cref="PunaException">The weights do not fit the groups, or a group of weight above 0 has nothing to train on.</exception>
    public ITokenStream Training(ulong seed, IReadOnlyList<MixturePhase>? phases = null)
    {
        phases ??= [new MixturePhase(0, Weights)];
        var sources = new List<MixtureSource>();
        var kept = new List<int>();
        for (int i = 0; i < Groups.Count; i++)
        {
            // A group of which everything was held back cannot be given; its weight has to be 0 then.
            if (_manifest.Groups[i].Documents > 0 || phases.Any(p => p.Weights.Count > i && p.Weights[i] > 0))
            {
                kept.Add(i);
                sources.Add(new MixtureSource(Groups[i], new ShardStream(Shards(Groups[i]), seed ^ TextHash.Of(Groups[i]))));
            }
        }

        foreach (MixturePhase phase in phases)
        {
            if (phase.Weights.Count != Groups.Count)
            {
                throw new PunaException(string.Create(CultureInfo.InvariantCulture, $"weights from token {phase.FromTokens}: expected {Groups.Count}, got {phase.Weights.Count}"));
            }
        }

        return sources.Count == 1 && phases.Count == 1
            ? sources[0].Stream
            : new MixtureStream(sources, [.. phases.Select(p => new MixturePhase(p.FromTokens, [.. kept.Select(i => p.Weights[i])]))], seed);
    }

    /// <summary>Unmaps the shards.</summary>
    public void Dispose()
    {
        foreach ((_, TokenShard shard) in _shards)
        {
            shard.Dispose();
        }
    }

    private void Add(ManifestShard entry)
    {
        if (Path.GetFileName(entry.File) != entry.File)
        {
            throw new PunaException($"data set {_folder}: expected names of files in the folder, got {entry.File}");
        }

        var shard = TokenShard.Open(Path.Combine(_folder, entry.File));
        _shards.Add((entry, shard));
        string checksum = $"{shard.Checksum:x8}";
        if (checksum != entry.Checksum || shard.Documents != entry.Documents || shard.Tokens != entry.Tokens)
        {
            throw new PunaException($"shard {shard.Path}: expected checksum {entry.Checksum}, {entry.Documents} documents and {entry.Tokens} tokens as in {DataManifest.FileName}, got {checksum}, {shard.Documents} and {shard.Tokens}");
        }
    }
}
