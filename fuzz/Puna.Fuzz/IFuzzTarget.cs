namespace Puna.Fuzz;

/// <summary>
/// A parser that is fed damaged input. A class that implements this and has a constructor without arguments is found by <see cref="FuzzTargets"/>; nothing
/// else needs to be registered. Everything must follow from the arguments alone, so that a finding can be run again.
/// </summary>
public interface IFuzzTarget
{
    /// <summary>Name on the command line, lower case.</summary>
    string Name { get; }

    /// <summary>Small valid inputs, all of which <see cref="Run"/> accepts; mutation starts from these.</summary>
    IReadOnlyList<byte[]> Corpus { get; }

    /// <summary>Whether every input is valid by definition, however damaged: then a refusal is a finding, where otherwise a run without one tests nothing.</summary>
    bool AcceptsEverything => false;

    /// <summary>Parses the input and uses what came out of it. May throw a <see cref="Tensors.PunaException"/>; anything else is a finding.</summary>
    void Run(byte[] input);

    /// <summary>Changes an input so that the container around the change stays valid (lengths, checksums, syntax) and the parser gets past it. Null where the
    /// target has no such idea; then bytes are changed.</summary>
    /// <param name="random">The only source of choice.</param>
    /// <param name="input">A member of <see cref="Corpus"/>; not to be written to.</param>
    byte[]? MutateStructure(FuzzRandom random, byte[] input) => null;
}
