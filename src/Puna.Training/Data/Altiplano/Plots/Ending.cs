namespace Puna.Training.Data.Altiplano;

/// <summary>How stories end.</summary>
internal static class Ending
{
    /// <summary>Ends a story with one or two sentences.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="lessons">What the story teaches; told in most cases.</param>
    public static void Close(Scene scene, params ReadOnlySpan<string> lessons)
    {
        if (scene.Dice.Chance(65))
        {
            scene.OneOf(lessons);
            scene.Maybe(22, "{And that is the end of the story|The end|That is all there is to tell|And so it ended well|That is how it was|So it was, and so it is told in [v]|People in [v] still tell this story}");
        }
        else
        {
            if (scene.Dice.Chance(25))
            {
                scene.OneOf(lessons);
            }

            scene.OneOf(scene.Late ? Afterwards : scene.Llama is { Introduced: true } && scene.Dice.Chance(45) ? Llamas : Evenings);
        }
    }

    private static readonly string[] Afterwards =
    [
        "{The next morning|The next day}, {the sun was shining|life in [v] went on}, {and nothing seemed hard any more|and [h] whistled at work|and everything looked a little brighter}",
        "{Much later|Years later|When winter came}, [h] {still told the story|still laughed about it|remembered every word}",
        "[h] {went to bed tired but happy|thought about that night for a long time}",
        "{The next morning|The next day}, [h] {told the story to everybody|had a story to tell|was tired but happy}",
        "{From that night on|After that}, [h] {slept better|was a little wiser|had a story to tell}",
    ];

    private static readonly string[] Evenings =
    [
        "[h] {hung up the coat|closed the door|sat down by the fire|looked up at the stars} and {was content|thought of tomorrow|smiled|was glad to be at home}",
        "{Outside, it was {cold|dark}, but inside it was warm|Far away, a dog barked, but [h] was already asleep}",
        "{The next morning|The next day}, {the sun was shining|life in [v] went on}, {and nothing seemed hard any more|and [h] whistled at work|and everything looked a little brighter}",
        "{Much later|Years later|When winter came}, [h] {still told the story|still laughed about it|remembered every word}",
        "There was light in [h.pn] window until late that night",
        "For supper there was {fresh cheese and bread|corn soup|fish from the lake|potato soup|sweet bread with honey}, and [h] {gave thanks for it|shared it with the neighbours|had earned it}",
        "{That night|That evening}, [h] {slept well|slept without a dream|sat by the fire for a long time|told the story to everybody|fell asleep with a smile}",
        "{When the stars came out|When it got dark}, [h] {was already asleep|was sitting by the fire with a cup of tea|was happy and tired}",
        "{At home|In the evening}, there was {hot soup|fresh bread|potato soup with herbs}, and [h] {had never liked a meal so much|told the whole story|ate until nothing was left}",
        "[h] {smiled all evening|went to bed tired but happy|thought about that day for a long time}",
        "The {moon|evening star} rose over [v], and {all was quiet|everything was well again|nobody was worried any more}",
        "{From that day on|After that}, [h] {slept better|was a little wiser|had a story to tell}",
    ];

    private static readonly string[] Llamas =
    [
        "[L.n] {got a carrot|got a new bell|got a red ribbon|had earned its hay}, and {that was only fair|nobody had earned it more}",
        "{Before bed|Late in the evening}, [h] {looked into the stable|went out once more}, and [L.n] {was fast asleep|was chewing in the dark|lifted its head and hummed}",
        "{That night|That evening}, [L] {got an extra handful of corn|slept close to the house|was given the best hay}",
        "[L] {hummed softly|lay down by the wall|chewed and looked at the stars}, and [h] {was happy|laughed|went to bed}",
        "[h] {put an arm around|scratched the neck of|brushed the wool of} [L.n] and {smiled|said good night|was glad}",
        "{And [L.n]|As for [L.n], it} {was already asleep|was already chewing again|only wanted its supper}",
    ];
}
