namespace Puna.Tensors;

/// <summary>
/// The operations models are made of. Leaves only: an op never calls a layer back. Outputs live in the current arena scope (<see cref="Run"/>) unless a
/// destination is given. Implementations compute on a device, or decorate another implementation (recording, counting).
/// </summary>
/// <remarks>A row's result never depends on how many rows there are, on threads, or on how the cache came to be.</remarks>
public interface IOps
{
    /// <summary>A weight as this device wants it: matrices packed for its kernels, everything else as it is. Whatever the device, the products have the same bits as before.</summary>
    Weight Pack(Weight weight);

    /// <summary>Names what <see cref="Pack"/> makes, down to the last bit, so that it can be kept and told from what other versions make; null where it cannot be kept.</summary>
    string? PackedVersion => null;

    /// <summary>An uninitialised float32 tensor in the current scope.</summary>
    Tensor Allocate(Shape shape);

    /// <summary>Rows of a table, as float32: the embedding. Packed tables work too.</summary>
    /// <returns><c>[rows, columns]</c> float32.</returns>
    /// <exception cref="PunaException">A row index outside the table.</exception>
    Tensor Gather(Weight table, ReadOnlySpan<int> rows);

    /// <summary>Chosen rows of an activation, in the given order.</summary>
    /// <returns><c>[rows, columns]</c> float32.</returns>
    Tensor SelectRows(Tensor x, ReadOnlySpan<int> rows);

    /// <summary>y[i] = x w[i]^T for several weights that read the same input, which is prepared once.</summary>
    /// <param name="x"><c>[tokens, in]</c> float32.</param>
    /// <param name="w">Weights <c>[out_i, in]</c> of any type.</param>
    /// <param name="y">Outputs; receives new tensors <c>[tokens, out_i]</c> float32.</param>
    void MatMul(Tensor x, ReadOnlySpan<Weight> w, Span<Tensor> y);

    /// <summary><see cref="RmsNorm"/> followed by <see cref="MatMul"/>; one op, so that a device can fuse them.</summary>
    void NormMatMul(Tensor x, Weight norm, float epsilon, ReadOnlySpan<Weight> w, Span<Tensor> y);

    /// <summary>x / sqrt(mean(x^2) + epsilon) * norm, row by row; a norm shorter than a row, of headDim values, does so head by head.</summary>
    Tensor RmsNorm(Tensor x, Weight norm, float epsilon);

    /// <summary>(x - mean(x)) / sqrt(variance(x) + epsilon) * norm + bias, row by row; the variance is divided by the number of columns.</summary>
    Tensor LayerNorm(Tensor x, Weight norm, Weight bias, float epsilon);

    /// <summary>x Phi(x), Phi the normal distribution function: GELU in its exact form.</summary>
    Tensor Gelu(Tensor x);

    /// <summary>
    /// Attention of DeBERTa (spec llama4.md 14.1): within a sequence every token sees every other. The score of query i and key j is (q_i k_j + q_i relativeK_r + k_j relativeQ_r) / sqrt(3 headDim), r the row
    /// that the table has for their distance i - j.
    /// </summary>
    /// <param name="q">Queries <c>[tokens, heads * headDim]</c>.</param>
    /// <param name="k">Keys, as the queries.</param>
    /// <param name="v">Values, as the queries.</param>
    /// <param name="relativeQ">The table of distances, projected as queries are <c>[rows, heads * headDim]</c>.</param>
    /// <param name="relativeK">The table, projected as keys are.</param>
    /// <param name="starts">Row of each sequence's first token, and the number of rows: <see cref="Batch.Starts"/>.</param>
    /// <param name="distanceRows">Row of the table for each distance, from the most negative to the most positive one; never falls.</param>
    /// <param name="headDim">Values per head.</param>
    /// <returns><c>[tokens, heads * headDim]</c>.</returns>
    Tensor DisentangledAttention(Tensor q, Tensor k, Tensor v, Tensor relativeQ, Tensor relativeK, ReadOnlySpan<int> starts, ReadOnlySpan<int> distanceRows, int headDim);

    /// <summary>a + b, same shape: the residual connection.</summary>
    Tensor Add(Tensor a, Tensor b);

    /// <summary>x + bias, the bias <c>[columns]</c> added to every row.</summary>
    Tensor AddBias(Tensor x, Weight bias);

    /// <summary>silu(gate) * up, element by element.</summary>
    Tensor SwiGlu(Tensor gate, Tensor up);

    /// <summary>Rotary position embedding; the result is in interleaved order whatever <paramref name="layout"/> the input is in.</summary>
    /// <param name="x"><c>[tokens, heads * headDim]</c>.</param>
    /// <param name="cos"><c>[tokens, headDim / 2]</c>.</param>
    /// <param name="sin"><c>[tokens, headDim / 2]</c>.</param>
    /// <param name="layout">Which values of a head belong together.</param>
    Tensor Rope(Tensor x, Tensor cos, Tensor sin, RopeLayout layout);

    /// <summary>Each head over the root of the mean of its squares plus epsilon, without weights: Llama 4's norm of queries and keys (spec llama4.md 3.5).</summary>
    /// <param name="x"><c>[tokens, heads * headDim]</c>.</param>
    /// <param name="headDim">Values per head.</param>
    /// <param name="epsilon">The epsilon.</param>
    Tensor HeadNorm(Tensor x, int headDim, float epsilon);

    /// <summary>Every row times a factor of its own.</summary>
    /// <param name="x"><c>[rows, columns]</c>.</param>
    /// <param name="scales"><c>[rows, 1]</c>.</param>
    Tensor ScaleRows(Tensor x, Tensor scales);

    /// <summary>The sigmoid of an expert's router scores, for the rows that are sent to it (spec llama4.md 3.9).</summary>
    /// <param name="logits"><c>[tokens, experts]</c>.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="expert">The expert.</param>
    /// <returns><c>[rows, 1]</c>.</returns>
    Tensor GateScores(Tensor logits, ReadOnlySpan<int> rows, int expert);

    /// <summary>Adds to every row what its experts made of it, expert after expert.</summary>
    /// <param name="shared">What all rows have in common with no routing <c>[tokens, hidden]</c>: the shared expert's.</param>
    /// <param name="routing">Rows of each expert, and its outputs <c>[rows, hidden]</c> (<see cref="ExpertRouting.Outputs"/>).</param>
    /// <returns><c>[tokens, hidden]</c>.</returns>
    Tensor AddExperts(Tensor shared, ExpertRouting routing);

    /// <summary>tanh(gate) x, or (1 - tanh(gate)) x: the learned gates of Llama 3.2 Vision (spec llama1-3.md 4.2 and 4.3).</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="gate">One value.</param>
    /// <param name="isComplement">Whether the factor is what the gate leaves over.</param>
    Tensor TanhGate(Tensor x, Weight gate, bool isComplement = false);

    /// <summary>x with another tensor's rows added to some of its own.</summary>
    /// <param name="x"><c>[tokens, columns]</c>.</param>
    /// <param name="y"><c>[rows, columns]</c>.</param>
    /// <param name="rows">Row of x for each row of y.</param>
    /// <returns><c>[tokens, columns]</c>; rows that are not named are those of x, bit by bit.</returns>
    Tensor AddRows(Tensor x, Tensor y, ReadOnlySpan<int> rows);

    /// <summary>x with the columns of some of its rows times factors of their own: DoRA, for the rows that have such an adapter.</summary>
    /// <param name="x"><c>[tokens, columns]</c>.</param>
    /// <param name="scales">Float32 <c>[columns]</c>; constant, whoever goes backwards.</param>
    /// <param name="rows">The rows, each once; the others are those of x, bit by bit.</param>
    Tensor ScaleColumns(Tensor x, Weight scales, ReadOnlySpan<int> rows);

    /// <summary>Columns of several tensors side by side: those of the first, then those of the others interleaved, so that column first.Columns + others.Count * j + i is column j of others[i].</summary>
    /// <param name="first"><c>[rows, columns]</c>.</param>
    /// <param name="others">Each <c>[rows, n]</c>; none of them gives the first alone.</param>
    /// <returns><c>[rows, columns + others.Count * n]</c>.</returns>
    Tensor ConcatColumns(Tensor first, ReadOnlySpan<Tensor> others);

    /// <summary>Softmax attention over cached keys and those of this batch. Where there is a cache, this batch's keys and values are in it already (<see cref="Append"/>) and
    /// are read from there, rounded to its type as the earlier ones; they are arguments all the same, for whoever goes backwards.</summary>
    /// <param name="q">Queries <c>[tokens, heads * headDim]</c>, rotated.</param>
    /// <param name="k">Keys of this batch <c>[keys, kvHeads * headDim]</c>, rotated; as many as queries in self-attention, any number in cross-attention (<see cref="AttentionPlan.KeyStarts"/>).</param>
    /// <param name="v">Values of this batch, as the keys.</param>
    /// <param name="cache">The cache, or null where every sequence is whole in the batch; then keys and values stay float32.</param>
    /// <param name="plan">Which keys each query sees.</param>
    /// <param name="headDim">Values per head.</param>
    /// <returns><c>[tokens, heads * headDim]</c>.</returns>
    Tensor Attention(Tensor q, Tensor k, Tensor v, KvView? cache, AttentionPlan plan, int headDim);

    /// <summary>Writes this batch's keys and values behind the cached ones; every sequence has room (<see cref="KvSequence.Reserve"/>).</summary>
    void Append(KvView cache, Tensor k, Tensor v, Batch batch);

    /// <summary><see cref="Rope"/> of the keys followed by <see cref="Append"/>; one op, so that a device can fuse them. A decorator need not know it.</summary>
    /// <returns>The rotated keys.</returns>
    Tensor RopeAppend(Tensor k, Tensor v, Tensor cos, Tensor sin, RopeLayout layout, KvView cache, Batch batch)
    {
        Tensor rotated = Rope(k, cos, sin, layout);
        Append(cache, rotated, v, batch);
        return rotated;
    }

    /// <summary>Runs a block in a scope of its own: what it allocated is given back, its result is kept. An input that is itself the latest result of this
    /// method may be overwritten by the new one.</summary>
    /// <param name="block">The block.</param>
    /// <param name="x">Its input.</param>
    /// <param name="context">What it is told.</param>
    /// <param name="outer">What the block computes with: a decorator gives itself, so that it sees the calls inside; null means this.</param>
    Tensor Run<TContext>(IBlock<TContext> block, Tensor x, TContext context, IOps? outer = null);

    /// <summary>Copies a tensor's values to host memory: the only synchronisation.</summary>
    void Read(Tensor x, Span<float> host);
}
