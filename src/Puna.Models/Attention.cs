using Puna.Models.Adapters;
using Puna.Tensors;

namespace Puna.Models;

/// <summary>Causal self-attention with rotary positions; multi-head, grouped-query or multi-query by the sizes of its weights (spec llama1-3.md 2.1).</summary>
public sealed class Attention
{
    private readonly int _headDim;
    private readonly RopeLayout _layout;
    private readonly AttentionOptions _options;

    /// <summary>Creates the brick.</summary>
    /// <param name="wq">Queries <c>[heads * headDim, hidden]</c>.</param>
    /// <param name="wk">Keys <c>[kvHeads * headDim, hidden]</c>.</param>
    /// <param name="wv">Values <c>[kvHeads * headDim, hidden]</c>.</param>
    /// <param name="wo">Output <c>[hidden, heads * headDim]</c>.</param>
    /// <param name="headDim">Values per head.</param>
    /// <param name="layout">Which rows of wq and wk turn together.</param>
    /// <param name="options">What it does beside the ordinary.</param>
    public Attention(Linear wq, Linear wk, Linear wv, Linear wo, int headDim, RopeLayout layout, AttentionOptions options)
    {
        (Wq, Wk, Wv, Wo) = (wq, wk, wv, wo);
        _headDim = headDim;
        _layout = layout;
        _options = options;
    }

    /// <summary>Queries.</summary>
    public Linear Wq { get; }

    /// <summary>Keys.</summary>
    public Linear Wk { get; }

    /// <summary>Values.</summary>
    public Linear Wv { get; }

    /// <summary>Output.</summary>
    public Linear Wo { get; }

    /// <summary>The same brick with its weights as a device wants them.</summary>
    public Attention With(Func<Weight, Weight> weight) => new(Wq.With(weight), Wk.With(weight), Wv.With(weight), Wo.With(weight), _headDim, _layout, _options);

    /// <summary>Normalises, attends, projects.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="x">Residual stream <c>[tokens, hidden]</c>.</param>
    /// <param name="norm">The block's attention norm <c>[hidden]</c>.</param>
    /// <param name="epsilon">Its epsilon.</param>
    /// <param name="context">Batch, angles and cache.</param>
    /// <param name="layer">Index of the layer in the cache.</param>
    /// <returns><c>[tokens, hidden]</c>.</returns>
    public Tensor Forward(IOps ops, Tensor x, Weight norm, float epsilon, ForwardContext context, int layer)
    {
        ThreeTensors qkv = default;
        ops.NormMatMul(x, norm, epsilon, [Wq.Weight, Wk.Weight, Wv.Weight], qkv);
        AdapterRows? adapters = context.Adapters?.OfTokens;
        Tensor normed = adapters is null ? default : ops.RmsNorm(x, norm, epsilon);
        Tensor q = Wq.After(ops, qkv[0], normed, adapters);
        Tensor k = Wk.After(ops, qkv[1], normed, adapters);
        Tensor v = Wv.After(ops, qkv[2], normed, adapters);
        KvView? cache = context.Cache is null ? null : new KvView(context.Cache, layer);
        bool isAppended = false;
        if (_options.IsRotary)
        {
            (Tensor cos, Tensor sin) = _options.IsLocal ? (context.LocalCos, context.LocalSin) : (context.Cos, context.Sin);
            q = ops.Rope(q, cos, sin, _layout);
            isAppended = cache is not null && _options.QkNormEpsilon is null;
            k = isAppended ? ops.RopeAppend(k, v, cos, sin, _layout, cache!.Value, context.Batch) : ops.Rope(k, cos, sin, _layout);
        }

        if (_options.QkNormEpsilon is float small)
        {
            (q, k) = (ops.HeadNorm(q, _headDim, small), ops.HeadNorm(k, _headDim, small));
        }

        if (_options.HasTemperature)
        {
            q = ops.ScaleRows(q, context.Temperature);
        }

        if (cache is KvView view && !isAppended)
        {
            ops.Append(view, k, v, context.Batch);
        }

        Tensor y = ops.Attention(q, k, v, cache, _options.IsLocal ? context.LocalPlan : context.Plan, _headDim);
        return Wo.Forward(ops, y, adapters);
    }

    [System.Runtime.CompilerServices.InlineArray(3)]
    private struct ThreeTensors
    {
        private Tensor _first;
    }
}
