namespace Puna.Training.Data.Altiplano;

/// <summary>Somebody of the world.</summary>
internal sealed class Person : Referent
{
    public required string Name { get; init; }

    public required bool Female { get; init; }

    public required Age Age { get; init; }

    public required Trade Trade { get; init; }

    public required Trait Trait { get; init; }

    public required string Village { get; init; }

    /// <summary>Coins in the purse.</summary>
    public int Coins { get; set; }

    /// <summary>What this person is to the hero: <c>friend</c>, <c>mother</c>, <c>trader</c>; null for the hero.</summary>
    public string? Relation { get; set; }

    /// <summary>Phrasing of the first mention; null where the name alone will do.</summary>
    public string? Introduction { get; set; }

    /// <summary>How this person is called where no name is used: <c>her mother</c>.</summary>
    public string? Called { get; set; }

    public bool Introduced { get; set; }

    public string He => Female ? "she" : "he";

    public string Him => Female ? "her" : "him";

    public string His => Female ? "her" : "his";

    /// <summary>The noun: <c>girl</c>, <c>young weaver</c>, <c>old man</c>.</summary>
    public string Noun => Age switch
    {
        Age.Child => Female ? "girl" : "boy",
        Age.Young => "young " + Trade.Noun,
        Age.Old => "old " + Trade.Noun,
        _ => Trade.Noun,
    };

    /// <summary>How the truth and the questions name this person.</summary>
    public string Known => Called ?? Name;

    /// <inheritdoc/>
    public override void Write(Narrator narrator, ReadOnlySpan<char> form)
    {
        switch (form)
        {
            case "":
                Refer(narrator, He, false);
                return;
            case "o":
                Refer(narrator, Him, false);
                return;
            case "p":
                Refer(narrator, His, true);
                return;
            case "n":
                Refer(narrator, null, false);
                return;
            case "pn":
                Refer(narrator, null, true);
                return;
            case "he":
                narrator.Append(He);
                break;
            case "him":
                narrator.Append(Him);
                break;
            case "his":
                narrator.Append(His);
                break;
            case "self":
                narrator.Append(Female ? "herself" : "himself");
                break;
            case "name":
                narrator.Append(Name);
                break;
            case "noun":
                narrator.Append(Noun);
                break;
            case "trade":
                narrator.Append(Trade.Noun);
                break;
            case "trait":
                narrator.Append(Trait.Word);
                break;
            case "child":
                narrator.Append(Female ? "daughter" : "son");
                break;
            default:
                throw Unknown(form);
        }

        LastSentence = narrator.Sentence;
    }

    private void Refer(Narrator narrator, string? pronoun, bool possessive)
    {
        if (!Introduced && Introduction is not null && !narrator.Plain)
        {
            Introduced = true;
            narrator.Expand(Introduction);
            if (possessive)
            {
                narrator.Append("'s");
            }
        }
        else if (pronoun is not null && narrator.MayUsePronoun(this))
        {
            narrator.Append(pronoun);
        }
        else
        {
            narrator.Append(possessive ? English.Possessive(Known) : Known);
        }

        Introduced = true;
        narrator.Mentioned(this);
    }
}
