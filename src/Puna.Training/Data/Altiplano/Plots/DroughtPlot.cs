namespace Puna.Training.Data.Altiplano;

/// <summary>No rain for weeks. Water is found, shared or brought, by whoever knows where it is.</summary>
internal sealed class DroughtPlot : IPlot
{
    public string Name => "drought";

    public void Tell(Scene s)
    {
        s.World.Weather = Weather.Sun;
        int weeks = s.Dice.Between(4, 14);
        s.Narrator.Bind("w", new Word(English.Number(weeks, s.Narrator.Digits)));
        bool llama = s.Dice.Chance(70);
        if (llama)
        {
            s.HaveLlama();
        }

        Opening.Begin(s, false, false, "The sky had been blue for a long time, and [h] {looked for clouds every morning|was thirsty}", "The well of [v] was {nearly empty|almost dry}, and [h] {pulled up only mud|let the bucket down again and again}", "That year the rain {did not come|was late}, and [h] {worried about the herd|could not remember the last green leaf}");
        s.OneOf("There had been no rain in [v] for [w] weeks", "For [w] weeks, not a drop of rain had fallen", "[w] weeks had passed without rain");
        s.Ask(QuestionKind.HowMany, "For how many weeks had there been no rain?", FactKind.Count, "drought", "weeks", "[w]", weeks);
        s.OneOf("The {fields|meadows} were {yellow|brown and hard}, and {the animals were thin|even the birds had gone}", "{The children|People} {carried water from far away|washed once a week}, and the {llamas|goats} {cried at night|licked the stones}");
        s.Maybe(55, "{Some families thought of leaving|Neighbours began to quarrel about every bucket|Everybody had an idea, but nobody had water|The elders prayed on the hill|Every cloud was watched with hope|Nobody sang any more}");
        s.Paragraph();
        Place place = s.Somewhere("p", Terrain.Height, Terrain.Shelter, Terrain.Plain);
        int how = s.Dice.Below(llama ? 4 : 3);
        switch (how)
        {
            case 0:
                Person kin = s.Kin("k");
                s.OneOf("[k] {remembered|told of} an old spring {near [p]|[p.at]} {that had been forgotten|from long ago}", "\"When I was young, there was a spring [p.at],\" [k] said");
                s.Ask(QuestionKind.Who, "Who {remembered|knew about} the old spring?", FactKind.Person, "spring", "remembered by", kin.Called!);
                s.Do("h", "went there with a spade", "{pulled away stones and thorns|looked for the right place}", "dug until {the evening|the ground was wet}");
                s.OneOf("{Suddenly|At last} the sand turned dark, and {cold|clear} water {came up|ran over [h.p] feet}", "And then there was a small sound, and water {came out of the ground|filled the hole}");
                break;
            case 1:
                s.Meet("f", s.Dice.Pick("*neighbour", "*friend", "*cousin"));
                int buckets = s.Dice.Between(3, 15);
                s.Narrator.Bind("n", new Word(English.Number(buckets, s.Narrator.Digits)));
                s.OneOf("[h] had {saved|kept} [n] buckets of water behind the house", "Behind [h.pn] house stood [n] full buckets{, which had been saved drop by drop|}");
                s.Ask(QuestionKind.HowMany, "How many buckets of water did [h.name] have?", FactKind.Count, "[h.name]", "buckets", "[n]", buckets);
                s.OneOf("[f] came by and {said nothing, but looked at them|asked for a little}, because [f.his] {family was thirsty|goats had not drunk for two days}", "Then [f] came with an empty jug and tired eyes");
                s.OneOf("It was not easy, but [h] {gave away half|filled the jug, and then another one}", "[h] thought about it for one {night|evening}, and then shared {all of it|everything}");
                s.OneOf("When others saw that, they {shared too|brought what they had hidden}, {and so there was enough for everybody|and nobody went thirsty}", "The next day, {every door was open|all the jugs of [v] stood in the square}, and everybody {drank|got the same}");
                break;
            case 2:
                s.OneOf("[h] {had an idea|made a plan}: they could dig a channel from the {glacier|snow|high lake} near [p] {down to the fields|to the village}", "\"There is snow on the mountain,\" [h] said. \"We can lead the water down past [p].\"");
                s.OneOf("Some people laughed, but {three|four|five} came with spades", "At first nobody believed it, but then {three|four|five} people came with spades");
                int days = s.Dice.Between(5, 20);
                s.Narrator.Bind("d", new Word(English.Number(days, s.Narrator.Digits)));
                s.OneOf("They dug for [d] days, {with sore hands|from sunrise to sunset}", "After [d] days of digging, {even those who had laughed were helping|the channel was ready}");
                s.Ask(QuestionKind.HowMany, "{How many days did they dig?|For how many days did they dig?}", FactKind.Count, "channel", "days", "[d]", days);
                s.OneOf("Then the first water came, {slow and brown|no wider than a hand}, and {children ran beside it|people cheered}", "When the last stone was moved, water ran down {to the fields|into the dry well}");
                break;
            default:
                s.OneOf("One day, [L.n] {pulled at the rope and would not stop|walked away toward [p] and would not come back}", "It was [L.n] that {smelled|found} it: the llama {walked|ran} straight to [p]");
                s.OneOf("[h] {followed|ran after} the llama and saw it {scratching the ground|licking a dark stone}", "There it {scratched the ground with one foot|stood still and hummed}");
                s.OneOf("Under the stones was {cool, wet sand|a thin stream}, and {a little deeper there was water|soon they had a bucket full}", "[h] dug there, and {water came|the hole filled with water}");
                s.Ask(QuestionKind.Who, "Who found the water?", FactKind.Deed, "water", "found by", "[L.name]");
                break;
        }

        s.Fact(FactKind.Place, "place", "of the story", place.Name);
        s.OneOf("{Three days later|A week later|Not long after}, {the first clouds came|it rained}, and {everybody stood in the street with open arms|nobody ran inside}", "The {herd|llamas} drank, {then the people|and the beans turned green again}", "And when the rain came at last, {[v] was still alive|nobody had left [v]}");
        Ending.Close(s, "{From then on|After that}, nobody in [v] {wasted|poured away} {a single cup of|any} water", "\"Water belongs to everybody,\" [h] {said|liked to say}", how == 1 ? "{From then on|After that}, a big jar of water for everybody stood on the square of [v]" : "{The place|That place} has carried a new name ever since", "{People|The neighbours} {thanked|hugged} [h.o], and {for once nobody quarrelled|there was a small feast}");
    }
}
