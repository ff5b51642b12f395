using Puna.Tensors;
using Puna.Tensors.Autograd;

namespace Puna.Training.Experts;

/// <summary>What a layer's router did in a pass.</summary>
/// <param name="layer">Index of the layer.</param>
/// <param name="scores">Its scores on the device <c>[tokens, experts]</c>.</param>
/// <param name="plain">The scores.</param>
/// <param name="noisy">The scores with noise.</param>
/// <param name="counts">Rows that chose each expert.</param>
/// <param name="perToken">Experts per row.</param>
/// <param name="isOnTape">Whether a tape has the scores.</param>
internal sealed class RoutedLayer(int layer, Tensor scores, float[] plain, float[] noisy, int[] counts, int perToken, bool isOnTape)
{
    public int Layer => layer;

    public Tensor Scores => scores;

    public float[] Plain => plain;

    public float[] Noisy => noisy;

    public int[] Counts => counts;

    public int PerToken => perToken;

    public bool IsOnTape => isOnTape;

    /// <summary>Gradient of the losses by the scores, in row order; empty before.</summary>
    public float[] Gradient { get; set; } = [];

    /// <summary>Tells a tape the gradient.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="to">The scores that it has.</param>
    public void Seed(Tape tape, Tensor to)
    {
        if (Gradient.Length > 0)
        {
            tape.Seed(to, Tensor.From(Gradient, to.Shape));
        }
    }
}
