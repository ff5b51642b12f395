namespace Puna.Training.Recipes.Vision;

/// <summary>How a model comes to see.</summary>
public enum VisionDesign
{
    /// <summary>Llama 3.2 Vision's: layers between those of a text model look at an encoder's output.</summary>
    CrossAttention,

    /// <summary>Llama 4's: patches of pictures are tokens among the others.</summary>
    EarlyFusion,
}
