namespace Puna.Training.Data.Altiplano;

/// <summary>Questions about what a picture shows. Colours and places are asked only of what is there once.</summary>
internal static class PictureQuestions
{
    public static List<AltiplanoQuestion> About(List<PictureObject> objects)
    {
        var questions = new List<AltiplanoQuestion>();
        var kinds = new List<string>();
        foreach (PictureObject thing in objects)
        {
            if (kinds.Contains(thing.Kind))
            {
                continue;
            }

            kinds.Add(thing.Kind);
            int count = objects.FindAll(other => other.Kind == thing.Kind).Count;
            string number = English.Number(count, false);
            questions.Add(new AltiplanoQuestion($"How many {PictureWords.Plural(thing.Kind)} are there?", number, new AltiplanoFact(FactKind.Count, thing.Kind, "count", number, count), QuestionKind.HowMany));
            if (count == 1)
            {
                questions.Add(new AltiplanoQuestion($"Where is the {thing.Kind}?", thing.Where, new AltiplanoFact(FactKind.Place, thing.Kind, "where", thing.Where), QuestionKind.Where));
                if (thing.Kind is not ("sun" or "moon" or "star" or "cactus"))
                {
                    questions.Add(new AltiplanoQuestion($"What colour is the {thing.Kind}?", thing.Colour, new AltiplanoFact(FactKind.Quality, thing.Kind, "colour", thing.Colour), QuestionKind.What));
                }
            }
        }

        return questions;
    }
}
