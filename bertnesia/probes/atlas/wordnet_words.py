"""The kinds that answer for words of WordNet, and the words that `wordnet` leaves out, by relation.

Left out are words that mean something else to most readers, informal and doubtful ones, and those whose kind in WordNet
is not the one that a reader would name.
"""

KINDS = {
    "kind-of-animal": """
amphibian antelope ape bat bear bee beetle big_cat>cat bird butterfly cat cattle chicken crab crustacean deer dinosaur
dog dolphin duck eagle fish fly frog goat horse insect lizard marsupial mollusk monkey moth owl parrot pigeon rabbit
reptile rodent shark sheep snail snake spider squirrel turtle whale worm
""",
    "kind-of-plant": "cactus fern flower fungus grass moss mushroom palm pine shrub tree vine weed",
    "kind-of-food": """
alcohol beer berry bread cake candy cereal cheese chocolate cocktail cookie dessert dish beverage>drink
edible_fruit>fruit herb juice liquor meal meat nut pasta pastry pie salad sandwich sauce sausage soup spice stew sugar
tea vegetable whiskey wine
""",
    "kind-of-thing": """
aircraft airplane bag bed bird boat bomb book boot bottle box bridge building camera car carpet chair church clothing
coat cup dress drum furniture gun hat hotel jacket jewelry knife lamp machine musical_instrument>instrument piano
prison road school ship shirt shoe shop skirt sofa stick street sword table tool toy truck vehicle weapon
""",
    "way-to": """
burn clean cook cry cut destroy eat fight fly hit jump kill laugh look pull push run sing speak steal throw walk wash
""",
}
"""Words of WordNet, `_` for a space, that stand for a kind; after `>`, the answer where it is another word."""

PLACES = """
American_state>state Canadian_province>province French_region>region Italian_region>region county desert island lake
mountain planet river sea star
"""
CALLINGS = """
actor architect astronomer biologist chemist composer dancer economist emperor explorer general historian inventor
mathematician musician painter philosopher physicist poet psychologist sculptor singer statesman theologian writer
"""
"""What names are instances of, in the same notation."""

NATIONALITIES = """
American Argentine Austrian Belgian Canadian Chilean Chinese Czech Danish Dutch English Finnish French German Greek
Hungarian Indian Irish Italian Japanese Mexican Norwegian Polish Portuguese Roman Russian Scottish Spanish Swedish Swiss
Welsh
"""
BRITISH = "English Scottish Welsh"
"""Nationalities of those who are British, too."""
KNOWN_BY_SURNAME = """
Audubon Bach Balfour Beethoven Brutus Byron Dante Doppler Eiffel Emerson Fahrenheit Goethe Handel Keynes LaSalle
Leonardo Milne Mozart Nietzsche Pershing Poe Rembrandt Rockefeller Schiller Sheridan Thoreau Tolkien Yeats
"""
"""Persons of whom WordNet has no name in two words."""
UNFIT = """
bastard bitch bisexual buttocks cock cunt dick faggot fuck gypsy heterosexual homo homosexual jap lesbian negro nigger
penis porn prostitute pussy queer rapist retard shit slut vagina whore
"""
"""Slurs and words for sex, which are no part of any fact."""

LEFT_OUT = {
    "kind-of-animal": """
agua ani argentine asp bantam beef brant brent brill bruin cayman charger chrysalis cisco clegg cochin cows coyote cur
das daw drone dun eft emmet entire ephemeral fitch flathead gar grubby guan human humankind humans jaeger kea ling
livestock liza lotte mademoiselle mankind margate mavis merle mina mollie molly mount murine orang pacer papillon
pinto placental pollard porpoise poultry pupa queen reeve ridley roan rudd seahorse slater sorrel swine takin wahoo
wether winkle
""",
    "kind-of-plant": """
absinthe althea ambrosia anil artemisia azalea bennet bergamot betel bonsai bryony camellia campion candida carissa
cassie cayenne cereal cheese coco cornel croton dahl dak dita erica everlasting flamboyant fuchsia gardenia goldilocks
grama gramma greenbrier guar hibiscus honeypot hops hoya hydrangea inga jalapeno japonica jasmine kino legume lilac
mallee mallow mastic mei mezcal milo molle morel morello mung nigella paprika periwinkle pollard popcorn potato
rhododendron rose rosita sapling senna soya spelt tipu tuna tung valerian vanda veronica wahoo waratah zaman
""",
    "kind-of-food": """
absinthe ade bap bean bird biscuit bitters blanc bleu bouillon brew broth bubbly chickpea chilli chilly chine chipotle
chips chocolate cole cordial cracker crisp cuppa currant dahl draught duckling duff fizz fries fryer grasshopper greens
grist halal hen herbal hock homebrew jak jalapeno legume marc meatloaf milt morello mulligan murphy nacho oreo organs
persimmon plantain poi popcorn potion puffer rickey rusk snail sorrel soya spirits sprout tater tiffin vintage weenie
winkle wort
""",
    "kind-of-thing": """
airbus apparel architecture attire auto automatic balloon bead bethel binder bling bra brig brothel bullet candle
canteen castle chime clarence combine commuter coop counter derby detour dirk dispensary dredge electric garb garment
gig grill haven hoy jewel jigsaw jug kennel kirk knuckles kris kylie lance laundry lower mac mack magneto magnum maxi
mini missile morgue mortuary motor nickelodeon overall pavilion pike pin playhouse pocket portable projectile
reversible rink safe seatbelt sectional settle shay shortcut skateboard slug smoother stalls starter stole tam tie
weeds wig windmill wrapper
""",
    "way-to": """
advise attract backpack betray birdie blitz bother bull bunker bust carol chant character cone confer deal deliver
detract devour discuss dissuade douche eliminate eradicate erase extinguish financier grass hack hash hum initial
invade jag keel leak mediate moot negotiate off overrun parry peach poise pollard promenade psalm puzzle rebound reel
repel scribe shank shorten sing sky snap stump summit tap thrust torpedo tourney urge
""",
    "part-of": """
abdominal accelerator airfield anus arms bark bat bed bloodstream bod boiler breast buffet buttocks cartridge come
coping cum diaphragm edging facing fireplace frame gearing gene grocery groin harness human interchange knuckle landing
lat library lobe lymph mow mustache oculus optic orb organ outlet palm pes retina rib saliva see sights skirt small
snout sonar specs stalls strap stripe stump terminal tongue transportation umbilical upstairs valve weave whip winch
yoke
""",
    "opposite": """
amphibious angular aurora biennial bisexual breathless cerebral cheerful common compact concentrated confined cubic
depressing distributed endemic express fewest forte fractional heterosexual homosexual incidental integrating
intermediate invasive licking local lovable maxi midi nascent oblique other overhead piano planar pointed pointless
publicized round rugged side sis some square topless vegetation weakening
""",
    "famous-place": "Caspian Chang Eyre Gila Lena Marches Mona Saba Yellowstone Zealand",
    "calling": "Alfred Edgar Edwin Julian Saint_Ambrose",
    "nationality": """
Adolf_Hitler Bruno_Walter Edmund_Malone Edward_Winslow Fahrenheit Franz_Kafka Harry_Bridges Joseph_Stalin Julian
Rudolf_Steiner Victor_Herbert Vladimir_Horowitz William_Thornton
""",
    "located-in": """
Alps Andes Caledonia Caspian Chang Crimea Galilee Gaza Himalayas Hindustan Kashmir Kosovo Lakeland Marches Mona Nile
Olympus Prussia Timor Zealand
""",
}
"""Words, and names written with `_` for a space, that are neither subjects nor objects of a relation."""
