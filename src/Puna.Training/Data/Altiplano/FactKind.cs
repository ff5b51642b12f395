namespace Puna.Training.Data.Altiplano;

/// <summary>What a fact is about.</summary>
public enum FactKind
{
    /// <summary>Who somebody is: trade, age, nature.</summary>
    Person,

    /// <summary>What a llama or a thing is like: its name, its colour.</summary>
    Quality,

    /// <summary>Who owns, borrowed or wants what.</summary>
    Owns,

    /// <summary>Where somebody or something was.</summary>
    Place,

    /// <summary>How many, how much, how long.</summary>
    Count,

    /// <summary>Why something happened.</summary>
    Cause,

    /// <summary>What somebody did.</summary>
    Deed,

    /// <summary>Weather, season and time of day.</summary>
    Time,
}
