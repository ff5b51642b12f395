namespace Puna.Training.Recipes.Vision;

/// <summary>Experts of a model with early fusion.</summary>
/// <param name="Count">Routed experts of a layer that has them; a token is sent to one, and to a shared one.</param>
/// <param name="Ffn">Width of each.</param>
/// <param name="Every">Every so many layers have experts, counted from one.</param>
public sealed record ExpertSection(int Count, int Ffn, int Every = 2);
