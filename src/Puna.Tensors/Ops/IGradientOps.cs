namespace Puna.Tensors;

/// <summary>
/// A device that can go backwards too: for every operation of <see cref="IOps"/> the gradients of its inputs, and what an optimiser needs. Gradients are float32. <c>add</c> says whether a
/// gradient is added to what stands in its tensor; gradients of weights always are (spec training.md 1; formulas: 1.2 and 1.9).
/// </summary>
/// <remarks>As in the other direction, no result depends on threads.</remarks>
public interface IGradientOps : IOps
{
    /// <summary>Opens a scope: everything allocated until <see cref="Release"/> with its result is given back then.</summary>
    ArenaMark Mark();

    /// <summary>Ends a scope opened by <see cref="Mark"/>.</summary>
    void Release(ArenaMark mark);

    /// <summary>dx (+)= dy W.</summary>
    /// <param name="dy"><c>[tokens, out]</c>.</param>
    /// <param name="w">Float32 weight <c>[out, in]</c>, not packed.</param>
    /// <param name="dx"><c>[tokens, in]</c>.</param>
    /// <param name="add">Whether to add.</param>
    void MatMulInputBack(Tensor dy, Weight w, Tensor dx, bool add);

    /// <summary>dw += dy^T x.</summary>
    /// <param name="dy"><c>[tokens, out]</c>.</param>
    /// <param name="x"><c>[tokens, in]</c>.</param>
    /// <param name="dw"><c>[out, in]</c>.</param>
    void MatMulWeightBack(Tensor dy, Tensor x, Tensor dw);

    /// <summary>Gradients of <see cref="IOps.RmsNorm"/>.</summary>
    /// <param name="dy"><c>[tokens, hidden]</c>.</param>
    /// <param name="x">The input.</param>
    /// <param name="norm">The weight.</param>
    /// <param name="epsilon">The epsilon.</param>
    /// <param name="dx">Gradient by the input.</param>
    /// <param name="add">Whether to add to it.</param>
    /// <param name="dNorm">Gradient by the weight, added to; null where it is not wanted.</param>
    void RmsNormBack(Tensor dy, Tensor x, Weight norm, float epsilon, Tensor dx, bool add, Tensor? dNorm);

    /// <summary>Gradients of <see cref="IOps.LayerNorm"/>.</summary>
    /// <param name="dy"><c>[tokens, hidden]</c>.</param>
    /// <param name="x">The input.</param>
    /// <param name="norm">The weight.</param>
    /// <param name="epsilon">The epsilon.</param>
    /// <param name="dx">Gradient by the input.</param>
    /// <param name="add">Whether to add to it.</param>
    /// <param name="dNorm">Gradient by the weight, added to; null where it is not wanted.</param>
    /// <param name="dBias">Gradient by the bias, added to; null where it is not wanted.</param>
    void LayerNormBack(Tensor dy, Tensor x, Weight norm, float epsilon, Tensor dx, bool add, Tensor? dNorm, Tensor? dBias);

    /// <summary>Gradient of <see cref="IOps.Gelu"/>.</summary>
    void GeluBack(Tensor dy, Tensor x, Tensor dx, bool add);

    /// <summary>Gradients of <see cref="IOps.DisentangledAttention"/> by queries, keys, values and both projections of the table of distances.</summary>
    void DisentangledAttentionBack(
        Tensor dy, Tensor q, Tensor k, Tensor v, Tensor relativeQ, Tensor relativeK, ReadOnlySpan<int> starts, ReadOnlySpan<int> distanceRows, int headDim,
        Tensor dq, bool addQ, Tensor dk, bool addK, Tensor dv, bool addV, Tensor dRelativeQ, bool addRelativeQ, Tensor dRelativeK, bool addRelativeK);

    /// <summary>Gradients of <see cref="IOps.SwiGlu"/>.</summary>
    void SwiGluBack(Tensor dy, Tensor gate, Tensor up, Tensor dGate, bool addGate, Tensor dUp, bool addUp);

    /// <summary>Gradient of <see cref="IOps.Rope"/>.</summary>
    void RopeBack(Tensor dy, Tensor cos, Tensor sin, RopeLayout layout, Tensor dx, bool add);

    /// <summary>Gradients of <see cref="IOps.Attention"/> without a cache.</summary>
    void AttentionBack(Tensor dy, Tensor q, Tensor k, Tensor v, AttentionPlan plan, int headDim, Tensor dq, bool addQ, Tensor dk, bool addK, Tensor dv, bool addV);

    /// <summary>Gradient of <see cref="IOps.HeadNorm"/>.</summary>
    void HeadNormBack(Tensor dy, Tensor x, int headDim, float epsilon, Tensor dx, bool add);

    /// <summary>Gradients of <see cref="IOps.ScaleRows"/>: dx = dy s, ds = sum of dy x over the row.</summary>
    void ScaleRowsBack(Tensor dy, Tensor x, Tensor scales, Tensor dx, bool addX, Tensor dScales, bool addScales);

    /// <summary>Gradient of <see cref="IOps.GateScores"/>, added to that of the scores: with s = sigmoid(z), dz = dy s (1 - s).</summary>
    /// <param name="dy"><c>[rows, 1]</c>.</param>
    /// <param name="scores">What the operation gave.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="expert">The expert.</param>
    /// <param name="dLogits"><c>[tokens, experts]</c>; added to.</param>
    void GateScoresBack(Tensor dy, Tensor scores, ReadOnlySpan<int> rows, int expert, Tensor dLogits);

    /// <summary>Gradients of <see cref="IOps.TanhGate"/>: dx (+)= t dy, dgate += (1 - tanh^2) sum(dy x), with the sign of the factor.</summary>
    /// <param name="dy">Gradient by the output.</param>
    /// <param name="x">The input.</param>
    /// <param name="gate">The gate.</param>
    /// <param name="isComplement">As on the way there.</param>
    /// <param name="dx">Gradient by the input.</param>
    /// <param name="add">Whether to add to it.</param>
    /// <param name="dGate">Gradient by the gate, added to; null where it is not wanted.</param>
    void TanhGateBack(Tensor dy, Tensor x, Weight gate, bool isComplement, Tensor dx, bool add, Tensor? dGate);

    /// <summary>Gradient of <see cref="IOps.ConcatColumns"/> by one of its inputs: dx (+)= columns first + step * j of dy.</summary>
    /// <param name="dy"><c>[rows, columns]</c>.</param>
    /// <param name="first">The column of dy that belongs to column 0 of the input.</param>
    /// <param name="step">Columns of dy from one column of the input to the next.</param>
    /// <param name="dx"><c>[rows, n]</c>.</param>
    /// <param name="add">Whether to add to it.</param>
    void ConcatColumnsBack(Tensor dy, int first, int step, Tensor dx, bool add);

    /// <summary>to (+)= from, same shape: the residual connection.</summary>
    void AddBack(Tensor from, Tensor to, bool add);

    /// <summary>db += sum over rows of dy: a bias.</summary>
    void AddBiasBack(Tensor dy, Tensor db);

    /// <summary>Row <c>rows[t]</c> of the table += row t of dy: <see cref="IOps.Gather"/>, and <see cref="IOps.SelectRows"/> into a tensor that holds a gradient already.</summary>
    void GatherBack(Tensor dy, ReadOnlySpan<int> rows, Tensor table);

    /// <summary>Zeros.</summary>
    void Clear(Tensor x);

    /// <summary>Cross-entropy of logits, which are overwritten by their gradient scale (softmax - onehot).</summary>
    /// <param name="logits"><c>[rows, vocab]</c>.</param>
    /// <param name="targets">Per row the id to predict.</param>
    /// <param name="scales">Per row the weight of its loss, divided by the normaliser.</param>
    /// <param name="nll">Receives the negative log likelihood of each row, in nats.</param>
    /// <exception cref="PunaException">A target outside the vocabulary.</exception>
    void CrossEntropy(Tensor logits, ReadOnlySpan<int> targets, ReadOnlySpan<float> scales, Span<float> nll);

    /// <summary>The sum of the squares of a tensor's values, in double.</summary>
    double SquareSum(Tensor x);

    /// <summary>One step of AdamW on one parameter (spec training.md 1.4).</summary>
    /// <param name="values">The parameter; changed.</param>
    /// <param name="gradient">Its gradient.</param>
    /// <param name="first">First moment; changed.</param>
    /// <param name="second">Second moment; changed.</param>
    /// <param name="step">Constants of this step.</param>
    void AdamW(Tensor values, Tensor gradient, Tensor first, Tensor second, in AdamWConstants step);
}
