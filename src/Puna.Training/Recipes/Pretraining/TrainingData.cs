using Puna.Tensors;
using Puna.Text;
using Puna.Training.Data;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>Rows for training and for validation from the sources of a config.</summary>
internal sealed class TrainingData
{
    private readonly IReadOnlyList<ITrainingSource> _sources;
    private readonly PretrainConfig _config;
    private readonly Tokenizer _tokenizer;
    private readonly ITokenStream _stream;
    private RowPacker _packer;

    public TrainingData(PretrainConfig config, IReadOnlyList<ITrainingSource> sources, Tokenizer tokenizer)
    {
        (_config, _sources, _tokenizer) = (config, sources, tokenizer);
        _stream = Mix(heldOut: false);
        RowTokens = config.RowTokens;
        _packer = new RowPacker(_stream, RowTokens, PackingMode.ConcatSplit);
    }

    /// <summary>Tokens of a row.</summary>
    public int RowTokens { get; private set; }

    /// <summary>Where the data stands.</summary>
    public StreamState State
    {
        get => _packer.State;
        set => _packer.State = value;
    }

    /// <summary>Goes on with rows of another length.</summary>
    public void Resize(int rowTokens)
    {
        if (rowTokens != RowTokens)
        {
            StreamState state = _packer.State;
            RowTokens = rowTokens;
            _packer = new RowPacker(_stream, rowTokens, PackingMode.ConcatSplit);
            _packer.State = state with { Source = _packer.State.Source };
        }
    }

    /// <summary>Fills the micro-batches of one step.</summary>
    public void Fill(IReadOnlyList<TrainingBatch> batches)
    {
        foreach (TrainingBatch batch in batches)
        {
            _packer.Fill(batch, _config.MicroBatch);
        }
    }

    /// <summary>The held-out rows, always the same.</summary>
    public List<TrainingBatch> Validation()
    {
        var packer = new RowPacker(Mix(heldOut: true), RowTokens, PackingMode.ConcatSplit);
        var batches = new List<TrainingBatch>();
        for (int rows = 0; rows < _config.ValidationRows; rows += _config.MicroBatch)
        {
            var batch = new TrainingBatch();
            packer.Fill(batch, Math.Min(_config.MicroBatch, _config.ValidationRows - rows));
            batches.Add(batch);
        }

        return batches;
    }

    private ITokenStream Mix(bool heldOut) => _sources.Count == 1
        ? _sources[0].Open(_tokenizer, heldOut)
        : new MixtureStream([.. _sources.Select(s => new MixtureSource(s.Name, s.Open(_tokenizer, heldOut)))], [.. _config.Data.Select(static d => d.Weight)], _config.Seed);
}
