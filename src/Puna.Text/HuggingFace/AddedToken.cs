namespace Puna.Text.HuggingFace;

/// <summary>A token found in the text before anything else happens, as <c>added_tokens</c> of a <c>tokenizer.json</c> describes it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="Special">Whether it is left out where special tokens are; only these obey <see cref="SpecialTokens"/>, others are always found.</param>
/// <param name="SingleWord">Found only where no letter or digit is next to it.</param>
/// <param name="StripLeft">Takes white space before it along.</param>
/// <param name="StripRight">Takes white space behind it along.</param>
/// <param name="Normalized">Looked for in the normalised text instead of the text as it came.</param>
public sealed record AddedToken(
    int Id, string Content, bool Special = true, bool SingleWord = false, bool StripLeft = false, bool StripRight = false, bool Normalized = false);
