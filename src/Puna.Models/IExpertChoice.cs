using Puna.Tensors;

namespace Puna.Models;

/// <summary>Decides, in place of the router's scores alone, which experts rows go to: for training, where choices are disturbed and limited and the scores have a loss of their own.</summary>
public interface IExpertChoice
{
    /// <summary>Sends the rows of a layer to experts.</summary>
    /// <param name="ops">The device that has the scores.</param>
    /// <param name="scores">Router scores <c>[tokens, experts]</c>; what an expert reads is scaled by them, whatever the choice.</param>
    /// <param name="perToken">Experts per row.</param>
    /// <param name="routing">Receives the choice.</param>
    /// <param name="layer">Index of the layer.</param>
    void Assign(IOps ops, Tensor scores, int perToken, ExpertRouting routing, int layer);
}
