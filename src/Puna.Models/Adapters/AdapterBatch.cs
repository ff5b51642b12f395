using Puna.Tensors;

namespace Puna.Models.Adapters;

/// <summary>Which sequences of a batch have which adapter: data of the batch, so that requests with different adapters and without any share one pass. Reused from pass to pass.</summary>
public sealed class AdapterBatch
{
    private int _tokens;
    private LlamaConfig? _config;

    /// <summary>Adapters of the batch's tokens.</summary>
    public AdapterRows OfTokens { get; } = new();

    /// <summary>Adapters of the batch's outputs.</summary>
    public AdapterRows OfOutputs { get; } = new();

    /// <summary>Takes the adapters of a batch that is complete.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="adapters">One per sequence, null for none.</param>
    /// <returns>This; or null where no sequence has one.</returns>
    /// <exception cref="PunaException">Adapters of different models.</exception>
    public AdapterBatch? Set(Batch batch, IReadOnlyList<UnmergedAdapter?> adapters)
    {
        if (adapters.Count != batch.Sequences)
        {
            throw new InvalidOperationException($"adapters: expected {batch.Sequences}, one per sequence, got {adapters.Count}");
        }

        OfTokens.Clear();
        OfOutputs.Clear();
        (_tokens, _config) = (batch.Count, null);
        int output = 0;
        for (int s = 0; s < batch.Sequences; s++)
        {
            int first = output, end = batch.Starts[s + 1];
            while (output < batch.Outputs.Length && batch.Outputs[output] < end)
            {
                output++;
            }

            if (adapters[s] is not { } adapter)
            {
                continue;
            }

            _config = _config is null || ReferenceEquals(_config, adapter.Config) ? adapter.Config : throw new PunaException($"adapter {adapter.Path}: expected one of {_config.Name}, got one of another model");
            for (int row = batch.Starts[s]; row < end; row++)
            {
                OfTokens.Add(adapter, row);
            }

            for (int row = first; row < output; row++)
            {
                OfOutputs.Add(adapter, row);
            }
        }

        return _config is null ? null : this;
    }

    /// <summary>Asserts that these are the adapters of a batch and a model.</summary>
    internal void Check(Batch batch, LlamaConfig config)
    {
        if (_tokens != batch.Count || !ReferenceEquals(_config, config))
        {
            throw new InvalidOperationException($"adapters: expected those of this model and of this batch of {batch.Count} tokens, got others");
        }
    }
}
