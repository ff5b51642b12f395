using System.Runtime.InteropServices;
using Puna.Models;
using Puna.Tensors;
using Puna.Tensors.Autograd;
using Puna.Training.Data;
using Puna.Training.Experts;

namespace Puna.Training.Core;

/// <summary>
/// Steps of training next tokens: forward, backward, clip, update. The loss of a step is normalised by the weights of all its micro-batches together (spec training.md 1.3), so that cutting a
/// batch into micro-batches changes rounding only.
/// </summary>
public sealed class Trainer : IDisposable
{
    private const double ClipEpsilon = 1e-6;

    private readonly CpuOps _ops;
    private readonly bool _checkpoints;
    private readonly ForwardContext _context = new();
    private readonly double _clip;
    private readonly int _lossRows;
    private readonly ExpertChoice? _experts;
    private Tape _tape;
    private float[] _scales = [];
    private float[] _nll = [];

    /// <summary>Creates a trainer.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="model">The model that is trained.</param>
    /// <param name="options">The optimiser's constants.</param>
    /// <param name="clip">Largest norm of all gradients together.</param>
    /// <param name="checkpoints">Whether of a block only its input is kept for the way back.</param>
    /// <param name="lossRows">Rows of logits that exist at a time.</param>
    /// <param name="experts">Losses, noise and capacity of routers; null leaves them alone.</param>
    /// <exception cref="PunaException">Settings of routers for a model without.</exception>
    public Trainer(CpuOps ops, TrainableModel model, AdamWOptions options, double clip = 1, bool checkpoints = false, int lossRows = 1024, ExpertOptions? experts = null)
    {
        if (experts is not null && !(model.Config.Llama4?.HasExperts.Contains(true) ?? false))
        {
            throw new PunaException($"experts: expected none, because {model.Config.Name} is a model without experts");
        }

        _experts = experts is null ? null : new ExpertChoice(experts);
        (_ops, Model, _clip, _checkpoints, _lossRows) = (ops, model, clip, checkpoints, lossRows);
        Optimizer = new AdamWOptimizer(model.Parameters, options);
        _tape = new Tape(ops, model.Gradients, checkpoints);
    }

    /// <summary>The model.</summary>
    public TrainableModel Model { get; private set; }

    /// <summary>The optimiser.</summary>
    public AdamWOptimizer Optimizer { get; private set; }

    /// <summary>The losses of routers' scores in the last <see cref="Gradients"/>, weighted as they were added.</summary>
    public double ExpertLoss { get; private set; }

    /// <summary>Rows that found no room at their expert in the last <see cref="Gradients"/>, in all layers.</summary>
    public long DroppedRows { get; private set; }

    /// <summary>Steps in a row whose gradient was not finite.</summary>
    public int Skipped { get; private set; }

    /// <summary>Bytes of gradients of activations held at most.</summary>
    public long ActivationGradientBytes => _tape.GradientBytes;

    /// <summary>Goes on with another config of the same shapes: a longer context, another rotary base. Weights and moments stay.</summary>
    public void Change(LlamaConfig config)
    {
        Model = Model.With(config);
        Optimizer = Optimizer.For(Model.Parameters);
        _tape.Dispose();
        _tape = new Tape(_ops, Model.Gradients, _checkpoints);
    }

    /// <summary>Sets the counters to those of a checkpoint.</summary>
    /// <param name="updates">Updates done.</param>
    /// <param name="skipped">Steps in a row whose gradient was not finite.</param>
    public void Restore(long updates, int skipped) => (Optimizer.Steps, Skipped) = (updates, skipped);

    /// <summary>One step.</summary>
    /// <param name="batches">Micro-batches.</param>
    /// <param name="rate">Learning rate.</param>
    /// <exception cref="PunaException">The gradient was not finite for the third time in a row.</exception>
    public StepResult Step(IReadOnlyList<TrainingBatch> batches, double rate)
    {
        double weight = batches.Sum(static b => b.WeightSum);
        long tokens = batches.Sum(static b => (long)b.Batch.Count);
        if (weight == 0)
        {
            return new StepResult(0, 0, 0, tokens, false);
        }

        double loss = Gradients(batches, weight);
        double norm = Optimizer.GradientNorm(_ops);
        var result = new StepResult(loss, norm, weight, tokens, false) { ExpertLoss = ExpertLoss, DroppedRows = DroppedRows };
        if (!double.IsFinite(norm) || !double.IsFinite(loss))
        {
            if (++Skipped == 3)
            {
                throw new PunaException($"training: the gradient was not finite three times in a row, last in step {Optimizer.Steps}: a lower learning rate may help");
            }

            return result;
        }

        Skipped = 0;
        Optimizer.Step(_ops, (float)rate, (float)Math.Min(1, _clip / (norm + ClipEpsilon)));
        return result with { Updated = true };
    }

    /// <summary>Loss and gradients of micro-batches, without an update.</summary>
    /// <param name="batches">Micro-batches.</param>
    /// <param name="weight">The normaliser.</param>
    /// <returns>The loss.</returns>
    public double Gradients(IReadOnlyList<TrainingBatch> batches, double weight)
    {
        Model.Gradients.Clear(_ops);
        (ExpertLoss, DroppedRows) = (0, 0);
        double loss = 0;
        double tokens = batches.Sum(static b => b.Targets.Count > 0 ? (double)b.Batch.Count : 0);
        for (int i = 0; i < batches.Count; i++)
        {
            if (batches[i].Targets.Count > 0)
            {
                _experts?.Begin(((ulong)Optimizer.Steps << 20) + (ulong)i);
                loss += Pass(batches[i], weight, batches[i].Batch.Count / tokens);
            }
        }

        return loss;
    }

    /// <summary>The sum of weight times negative log likelihood of a batch, without gradients.</summary>
    public double Evaluate(TrainingBatch batch)
    {
        double sum = 0;
        ArenaMark mark = _ops.Mark();
        Tensor hidden = PictureInputs.Hidden(Model, _ops, batch.Batch, batch.Images, _context);
        int rows = (int)hidden.Rows;
        Reserve(rows);
        Span<int> targets = CollectionsMarshal.AsSpan(batch.Targets);
        for (int first = 0; first < rows; first += _lossRows)
        {
            int count = Math.Min(_lossRows, rows - first);
            ArenaMark chunk = _ops.Mark();
            Tensor logits = Model.Model.Output.Forward(_ops, hidden.Slice(first, count));
            _ops.CrossEntropy(logits, targets.Slice(first, count), _scales.AsSpan(first, count), _nll.AsSpan(first, count));
            _ops.Release(chunk);
        }

        for (int i = 0; i < rows; i++)
        {
            sum += (double)batch.Weights[i] * _nll[i];
        }

        _ops.Release(mark);
        return sum;
    }

    /// <inheritdoc/>
    public void Dispose() => _tape.Dispose();

    /// <param name="batch">The micro-batch.</param>
    /// <param name="weight">The normaliser.</param>
    /// <param name="share">Its share of the step's tokens.</param>
    private double Pass(TrainingBatch batch, double weight, double share)
    {
        ArenaMark mark = _ops.Mark();
        _context.ExpertChoice = _experts;
        try
        {
            Tensor hidden = PictureInputs.Hidden(Model, _tape, batch.Batch, batch.Images, _context);
            int rows = (int)hidden.Rows;
            Reserve(rows);
            for (int i = 0; i < rows; i++)
            {
                _scales[i] = (float)(batch.Weights[i] / weight);
            }

            double loss = _tape.CrossEntropy(hidden, Model.Model.Output.Weight, CollectionsMarshal.AsSpan(batch.Targets), _scales.AsSpan(0, rows), _nll.AsSpan(0, rows), _lossRows);
            if (_experts is not null)
            {
                ExpertLoss += _experts.Loss(share);
                DroppedRows += _experts.Dropped;
                _experts.Seed(_tape);
            }

            _tape.Backward();
            return loss;
        }
        finally
        {
            _context.ExpertChoice = null;
            _tape.Reset();
            _ops.Release(mark);
        }
    }

    private void Reserve(int rows)
    {
        if (_scales.Length < rows)
        {
            _scales = new float[rows];
            _nll = new float[rows];
        }
    }
}
