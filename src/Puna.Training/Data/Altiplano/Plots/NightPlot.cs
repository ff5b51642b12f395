namespace Puna.Training.Data.Altiplano;

/// <summary>Something strange in the night: a light, a sound, a shadow. There is a plain reason for it, and finding it takes courage.</summary>
internal sealed class NightPlot : IPlot
{
    private static readonly (string Sign, string Fear, string Truth)[] Nights =
    [
        ("a strange light", "a ghost", "a herder looking for a lost lamb with a lamp"),
        ("a low moan", "a mountain spirit", "the wind in an empty jar"),
        ("a slow knocking", "a robber", "a loose shutter"),
        ("two shining eyes", "a puma", "an old goat with a torn rope"),
        ("a white shadow", "a ghost", "a blanket that had blown off a line"),
        ("a soft singing", "a spirit of the lake", "a girl who was practising for the festival"),
        ("a scratching at the wall", "a monster", "a hungry guinea pig"),
        ("a loud splash", "a water monster", "a fisher who had fallen out of his boat"),
        ("a red glow", "a fire", "the oven of the baker, who had started early"),
        ("a bell that nobody rang", "the dead", "a young llama that had pulled the rope with its teeth"),
    ];

    public string Name => "strange night";

    public void Tell(Scene s)
    {
        (string sign, string fear, string truth) = s.Dice.Pick<(string, string, string)>(Nights);
        s.Narrator.Bind("sign", new Word(sign));
        s.Narrator.Bind("fear", new Word(fear));
        s.Narrator.Bind("truth", new Word(truth));
        bool brave = s.Hero.Trait.Word is "brave" or "curious" or "stubborn";
        bool llama = s.Dice.Chance(40);
        if (llama)
        {
            s.HaveLlama();
        }

        Opening.Begin(s, brave || s.Hero.Trait.Word == "shy", false, "{One night|In the middle of the night}, [h] {woke up|could not sleep|sat up in bed}", "[h] did not believe in ghosts", "\"Did you hear that?\" {whispered|asked} [h]", "The night was {dark|very quiet|without a moon}, and [h] {was wide awake|lay under three blankets}");
        Place place = s.Somewhere("p");
        Person friend = s.Dice.Chance(50) ? s.Meet("f", s.Dice.Pick("*brother", "*sister", "*friend", "*cousin")) : s.Kin("f");
        s.OneOf("{For three nights|Every night that week}, there had been [sign] near [p]", "{That night|One night}, there was [sign] near [p]", "It was [sign], and it came from [p]");
        s.Ask(QuestionKind.Where, "Where did [sign] come from?", FactKind.Place, sign, "near", place.Name);
        s.OneOf("\"It is [fear],\" whispered [f]", "[f] was sure that it was [fear]", "{People in [v]|The neighbours} said it was [fear], and [f] {believed it|nodded}");
        s.Ask(QuestionKind.What, "What did [f.n] {think|believe} it was?", FactKind.Cause, friend.Known, "feared", fear);
        s.OneOf(brave ? "[h] was {not afraid|too [h.trait] to stay in bed}" : "[h.p] knees were {soft|shaking}", "[h] {wanted to know|had to know}", "\"{There is a reason for everything|Ghosts do not make so much noise},\" said [h.n]");
        s.Paragraph();
        s.Do("h", "{took a lamp|lit a candle|put on a coat}", "{opened the door|stepped out into the dark}", "walked {slowly |quietly |}to [p]");
        s.Maybe(65, llama ? "[L.n] {came along, and that was a comfort|lifted its head and hummed|was not afraid at all}" : "[f] {followed ten steps behind|held on to [h.p] sleeve|waited at the door}");
        s.OneOf("{The stars were bright|It was very cold}, and {every stone looked like an animal|every step was loud}", "An owl {called|flew up}, and [h] {nearly dropped the light|stood still}", "[h] {counted the steps to stay calm|whistled softly|thought of warm bread to stay brave|held the lamp with both hands}");
        s.OneOf("{Closer and closer it came|It grew stronger with every step}. Then [h] {saw|understood} what it was: [truth]", "{At the last corner|Behind the last rock}, [h] {held up the light|looked carefully}, and there it was: [truth]", "{And what was it?|And the terrible thing?|So what had it been?} It was only [truth]", "{There, in the dark|At last}, [h] {came near enough to see it|lifted the lamp}. It was [truth]");
        s.Ask(QuestionKind.What, "What was [sign] in truth?", FactKind.Cause, sign, "in truth", truth);
        s.OneOf("[h] had to {laugh so loudly that half the village woke up|sit down and laugh}", "[h] {breathed out|smiled} and went {back|home} to tell [f.o]", "\"{So much fear for so little|That was all},\" said [h.n] and {laughed|shook [h.his] head}");
        s.Maybe(55, "[f] {laughed too, but only a little|did not believe it until [f.he] had seen it|was a little ashamed}");
        Ending.Close(s, "{After that|From then on}, nobody in [v] spoke of it without laughing", "\"{The dark is only the day with its eyes closed|Most ghosts disappear when you go up to them},\" said [h.n]", "{They|The two of them} drank {warm milk|hot tea} and {slept until noon|slept well}");
    }
}
