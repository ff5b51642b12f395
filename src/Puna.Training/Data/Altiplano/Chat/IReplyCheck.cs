namespace Puna.Training.Data.Altiplano;

/// <summary>Judges a reply, without a model.</summary>
public interface IReplyCheck
{
    /// <summary>What a reply has to be, in a few words.</summary>
    string Expected { get; }

    /// <summary>Whether the reply is what was asked for.</summary>
    bool Accepts(string reply);
}
