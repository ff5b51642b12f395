using Puna.Models.PromptGuard;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Safety.PromptGuard;

/// <summary>
/// Llama Prompt Guard 1 or 2 over texts of any length. The model reads 512 tokens; a longer text is read in windows that overlap by half, so that no instruction is cut in two everywhere, and the window of the greatest score
/// speaks for the text. One thread at a time.
/// </summary>
public sealed class PromptGuardClassifier
{
    // Windows computed together; each has the same bits alone.
    private const int WindowsAtOnce = 16;

    private readonly DebertaClassifier _model;
    private readonly Tokenizer _tokenizer;
    private readonly CpuOps _ops;
    private readonly int _before;
    private readonly int _behind;

    /// <summary>Opens a model's folder.</summary>
    /// <param name="path">The folder, or its safetensors file.</param>
    /// <param name="ops">The device; stays open as long as this.</param>
    /// <param name="map">False reads the weights into memory instead of mapping them.</param>
    /// <exception cref="PunaException">It is no such model, or has no tokenizer that puts a token before and one behind a text.</exception>
    public PromptGuardClassifier(string path, CpuOps ops, bool map = true)
    {
        using DebertaCheckpoint checkpoint = DebertaCheckpoint.Open(path, map);
        _tokenizer = checkpoint.OpenTokenizer();
        (_before, _behind) = (_tokenizer.BosId!.Value, _tokenizer.EosId!.Value);
        if (checkpoint.Config.ContextLength < 4)
        {
            throw new PunaException($"model {path}: expected a context of at least 4 tokens, got {checkpoint.Config.ContextLength}");
        }

        _ops = ops;
        _model = checkpoint.LoadPacked(ops);
    }

    /// <summary>Names of the labels.</summary>
    public IReadOnlyList<string> Labels => _model.Config.Labels;

    /// <summary>Judges texts, all of them together.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <exception cref="PunaException">A text has a token the model has no row for.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IReadOnlyList<PromptGuardResult> Classify(IReadOnlyList<string> texts, CancellationToken cancel = default)
    {
        var windows = new List<(int Text, int[] Ids)>();
        for (int i = 0; i < texts.Count; i++)
        {
            foreach (int[] ids in Windows(_tokenizer.Encode(texts[i])))
            {
                windows.Add((i, ids));
            }
        }

        var best = new PromptGuardResult?[texts.Count];
        for (int at = 0; at < windows.Count; at += WindowsAtOnce)
        {
            cancel.ThrowIfCancellationRequested();
            List<(int Text, int[] Ids)> some = windows.GetRange(at, Math.Min(WindowsAtOnce, windows.Count - at));
            float[] logits = Logits(some);
            for (int i = 0; i < some.Count; i++)
            {
                double[] probabilities = Softmax(logits.AsSpan(i * Labels.Count, Labels.Count));
                PromptGuardResult? before = best[some[i].Text];
                var result = new PromptGuardResult(Labels, probabilities, (before?.Windows ?? 0) + 1);
                best[some[i].Text] = before is null || !(result.Indirect <= before.Indirect) ? result : before with { Windows = result.Windows };
            }
        }

        return best!;
    }

    /// <summary>Judges one text.</summary>
    public PromptGuardResult Classify(string text, CancellationToken cancel = default) => Classify([text], cancel)[0];

    private IEnumerable<int[]> Windows(int[] ids)
    {
        int room = _model.Config.ContextLength - 2, step = Math.Max(1, room / 2);
        for (int at = 0; ; at += step)
        {
            int count = Math.Min(room, ids.Length - at);
            yield return [_before, .. ids.AsSpan(at, count), _behind];
            if (at + count == ids.Length)
            {
                yield break;
            }
        }
    }

    private float[] Logits(List<(int Text, int[] Ids)> windows)
    {
        var batch = new Batch();
        foreach ((_, int[] ids) in windows)
        {
            batch.Add(ids, 0, BatchOutputs.None);
        }

        lock (_ops.Gate)
        {
            ArenaMark mark = _ops.Mark();
            try
            {
                Tensor logits = _model.Forward(_ops, batch);
                float[] values = new float[logits.Shape.Count];
                _ops.Read(logits, values);
                return values;
            }
            finally
            {
                _ops.Release(mark);
            }
        }
    }

    private static double[] Softmax(ReadOnlySpan<float> logits)
    {
        var result = new double[logits.Length];
        double most = double.NegativeInfinity, sum = 0;
        foreach (float logit in logits)
        {
            most = Math.Max(most, logit);
        }

        for (int i = 0; i < result.Length; i++)
        {
            sum += result[i] = Math.Exp(logits[i] - most);
        }

        for (int i = 0; i < result.Length; i++)
        {
            result[i] /= sum;
        }

        return result;
    }
}
