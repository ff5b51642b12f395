using Puna.Models.Adapters;
using Puna.Tensors;

namespace Puna.Models;

/// <summary>
/// Llama 4's feed-forward layer (spec llama4.md 3.9): a router sends each token to its best experts, each of which reads the token times the sigmoid of its own score; one shared
/// expert reads the token as it is; all are added. The rows of a batch are grouped by expert, so that a token costs its own experts only.
/// </summary>
public sealed class MixtureOfExperts
{
    private readonly int _perToken;

    /// <summary>Creates the brick.</summary>
    /// <param name="router">Scores <c>[experts, hidden]</c>.</param>
    /// <param name="shared">The expert that reads every token.</param>
    /// <param name="experts">The routed experts.</param>
    /// <param name="perToken">Routed experts that a token is sent to.</param>
    public MixtureOfExperts(Linear router, FeedForward shared, IReadOnlyList<FeedForward> experts, int perToken)
    {
        (Router, Shared, Experts) = (router, shared, experts);
        _perToken = perToken;
    }

    /// <summary>Scores of the experts.</summary>
    public Linear Router { get; }

    /// <summary>The expert that reads every token.</summary>
    public FeedForward Shared { get; }

    /// <summary>The routed experts.</summary>
    public IReadOnlyList<FeedForward> Experts { get; }

    /// <summary>The same brick with its weights as a device wants them.</summary>
    public MixtureOfExperts With(Func<Weight, Weight> weight) =>
        new(Router.With(weight), Shared.With(weight), [.. Experts.Select(e => e.With(weight))], _perToken);

    /// <summary>Normalises, routes, transforms.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="x">Residual stream <c>[tokens, hidden]</c>.</param>
    /// <param name="norm">The block's feed-forward norm <c>[hidden]</c>.</param>
    /// <param name="epsilon">Its epsilon.</param>
    /// <param name="context">Holds the routing, which each layer makes anew.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <returns><c>[tokens, hidden]</c>.</returns>
    public Tensor Forward(IOps ops, Tensor x, Weight norm, float epsilon, ForwardContext context, int layer = 0)
    {
        Tensor normed = ops.RmsNorm(x, norm, epsilon);
        ThreeTensors y = default;
        ops.MatMul(normed, [Router.Weight, Shared.W1.Weight, Shared.W3.Weight], y);
        Tensor scores = Router.After(ops, y[0]);
        ExpertRouting routing = context.Routing;
        if (context.ExpertChoice is { } choice)
        {
            choice.Assign(ops, scores, _perToken, routing, layer);
        }
        else
        {
            routing.Assign(ops, scores, _perToken);
        }

        // Experts on disk are fetched one ahead of those that compute: all at once could push each other out of memory.
        int next = Next(routing, 0);
        Expect(next);
        for (int e = next; e < Experts.Count; e = next)
        {
            next = Next(routing, e + 1);
            Expect(next);
            ReadOnlySpan<int> rows = routing.Rows(e);

            // The score scales what the expert reads: SwiGLU is not linear, so that scaling what it says would be another function.
            Tensor input = ops.ScaleRows(ops.SelectRows(normed, rows), ops.GateScores(scores, rows, e));
            routing.Outputs[e] = Experts[e].Forward(ops, input);
        }

        AdapterRows? adapters = context.Adapters?.OfTokens;
        Tensor shared = Shared.W2.Forward(ops, ops.SwiGlu(Shared.W1.After(ops, y[1], normed, adapters), Shared.W3.After(ops, y[2], normed, adapters)), adapters);
        return ops.AddExperts(shared, routing);
    }

    /// <summary>The first expert from one on that has rows, or their number.</summary>
    private int Next(ExpertRouting routing, int from)
    {
        int e = from;
        while (e < Experts.Count && routing.Rows(e).IsEmpty)
        {
            e++;
        }

        return e;
    }

    private void Expect(int expert)
    {
        if (expert < Experts.Count)
        {
            Experts[expert].Expect();
        }
    }

    [System.Runtime.CompilerServices.InlineArray(3)]
    private struct ThreeTensors
    {
        private Tensor _first;
    }
}
