using Puna.Models;
using Puna.Tensors;
using Puna.Tensors.Autograd;
using Puna.Training.Core;

namespace Puna.Training.Experts;

/// <summary>
/// The routing of a model that is trained: noise and capacity where experts are chosen, and the losses of scores afterwards. Noise is a function of seed, pass, layer, token and expert, so that a block which is
/// run again on the way back chooses as before.
/// </summary>
public sealed class ExpertChoice : IExpertChoice
{
    private readonly ExpertOptions _options;
    private readonly List<RoutedLayer> _routed = [];
    private ulong _pass;

    /// <summary>Creates it.</summary>
    /// <param name="options">The settings.</param>
    public ExpertChoice(ExpertOptions options) => _options = options;

    /// <summary>Rows that found no room at their expert in this pass.</summary>
    public long Dropped { get; private set; }

    /// <summary>Begins a pass.</summary>
    /// <param name="pass">Its number: other noise for each.</param>
    public void Begin(ulong pass)
    {
        _routed.Clear();
        (_pass, Dropped) = (pass, 0);
    }

    /// <inheritdoc/>
    public void Assign(IOps ops, Tensor scores, int perToken, ExpertRouting routing, int layer)
    {
        int experts = (int)scores.Columns;
        var plain = new float[scores.Shape.Count];
        ops.Read(scores, plain);
        float[] noisy = plain;
        if (_options.Noise > 0)
        {
            noisy = new float[plain.Length];
            Initialization.Normal(noisy, _options.Seed, Stream(layer), 0, _options.Noise);
            for (int i = 0; i < noisy.Length; i++)
            {
                noisy[i] += plain[i];
            }
        }

        // All that were chosen count for the balance, also those that find no room.
        routing.Assign(noisy, experts, perToken);
        var counts = new int[experts];
        for (int e = 0; e < experts; e++)
        {
            counts[e] = routing.Rows(e).Length;
        }

        int capacity = _options.CapacityOf(routing.Tokens, experts, perToken);
        if (counts.Max() > capacity)
        {
            routing.Assign(noisy, experts, perToken, capacity);
        }

        if (_routed.Find(r => r.Layer == layer) is not { } before)
        {
            Dropped += counts.Sum(c => (long)Math.Max(0, c - capacity));
            _routed.Add(new RoutedLayer(layer, scores, plain, noisy, counts, perToken, ops is Tape));
        }
        else if (ops is Tape tape)
        {
            // A block that is run again to go back through it: its scores are others than those that the losses were computed from, with the same values.
            before.Seed(tape, scores);
        }
    }

    /// <summary>Tells apart the numbers of passes and layers, and these from those of weights.</summary>
    private ulong Stream(int layer) => unchecked(((_pass + 1) * 0x9E37_79B9_7F4A_7C15) ^ (ulong)layer);

    /// <summary>Tells a tape the gradients of the losses, as far as it has the scores; those of blocks that it runs again it is told then.</summary>
    public void Seed(Tape tape)
    {
        foreach (RoutedLayer layer in _routed)
        {
            if (layer.IsOnTape)
            {
                layer.Seed(tape, layer.Scores);
            }
        }
    }

    /// <summary>The losses of all layers' scores together.</summary>
    /// <param name="factor">Factor on losses and gradients: this pass's share of the step.</param>
    /// <returns>Their weighted sum.</returns>
    public double Loss(double factor)
    {
        if (!_options.HasLoss || _routed.Count == 0)
        {
            return 0;
        }

        int experts = _routed[0].Counts.Length, perToken = _routed[0].PerToken;
        float[] scores = [.. _routed.SelectMany(static r => r.Plain)], noisy = [.. _routed.SelectMany(static r => r.Noisy)];
        int[] counts = [.. Enumerable.Range(0, experts).Select(e => _routed.Sum(r => r.Counts[e]))];
        var gradient = new float[scores.Length];
        double sum = 0;
        if (_options.Balance > 0)
        {
            sum += _options.Balance * RouterLosses.Balance(scores, experts, counts, factor * _options.Balance, gradient);
        }

        if (_options.Z > 0)
        {
            sum += _options.Z * RouterLosses.Z(scores, experts, factor * _options.Z, gradient);
        }

        if (_options.Load > 0)
        {
            sum += _options.Load * RouterLosses.Load(scores, experts, noisy, perToken, _options.Noise, factor * _options.Load, gradient);
        }

        int at = 0;
        foreach (RoutedLayer layer in _routed)
        {
            layer.Gradient = gradient[at..(at += layer.Plain.Length)];
        }

        return factor * sum;
    }
}
