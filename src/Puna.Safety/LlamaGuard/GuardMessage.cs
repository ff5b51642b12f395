namespace Puna.Safety.LlamaGuard;

/// <summary>A message to be judged, or one before it.</summary>
/// <param name="Role">Who said it.</param>
/// <param name="Text">What was said.</param>
/// <param name="Images">Pictures that come with it.</param>
public sealed record GuardMessage(GuardRole Role, string Text, int Images = 0);
